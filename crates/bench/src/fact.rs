//! A single figure beside what it should be.

use serde::Serialize;

/// A figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fact {
    /// What it is.
    pub(crate) name: String,
    /// How much.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: &'static str,
    /// The most that it should be; `None` where nothing is asked.
    pub(crate) at_most: Option<f64>,
    /// Whether it is; `None` where nothing is asked.
    pub(crate) reached: Option<bool>,
    /// What belongs to it.
    pub(crate) note: Option<String>,
}

impl Fact {
    /// A figure of which nothing is asked.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            at_most: None,
            reached: None,
            note: None,
        }
    }

    /// It should be at most this.
    pub(crate) fn at_most(mut self, most: f64) -> Self {
        self.at_most = Some(most);
        self.reached = Some(self.value <= most);
        self
    }

    /// It should be exactly this, which `reached` says.
    pub(crate) const fn exactly(mut self, wanted: f64, reached: bool) -> Self {
        self.at_most = Some(wanted);
        self.reached = Some(reached);
        self
    }

    /// Nothing is asked of it after all.
    pub(crate) fn ask_nothing(&mut self) {
        (self.at_most, self.reached) = (None, None);
    }

    /// With a note.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// A line of the table.
    pub(crate) fn line(&self) -> String {
        let digits = if self.value >= 100.0 { 0 } else { 2 };
        let verdict = match (self.at_most, self.reached) {
            (Some(most), Some(reached)) => {
                format!("{:<12} at most {most}", verdict(reached))
            }
            _ => String::new(),
        };
        let note = self.note.as_ref();
        let note = note.map_or_else(String::new, |note| format!("({note})"));
        let line = format!(
            "{:<62} {:>10.digits$} {:<11} {verdict:<24} {note}",
            self.name, self.value, self.unit
        );
        line.trim_end().to_owned()
    }
}

/// In words.
pub(crate) const fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "NOT REACHED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_at_its_bound_reaches_it() {
        let fact = Fact::new("x", 6.0, "KiB");
        assert_eq!(fact.reached, None);
        assert_eq!(fact.clone().at_most(6.0).reached, Some(true));
        assert_eq!(fact.at_most(5.9).reached, Some(false));
    }
}
