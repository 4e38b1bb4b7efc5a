//! The digits that a person sends to the account to log in a browser that shows them.

use std::fmt;

/// How many digits a message may have that is taken for a guess.
const GUESS: std::ops::RangeInclusive<usize> = 4..=LONGEST;

/// As many as are ever given. The step that gives them takes the first of a [`candidate`].
pub(crate) const LONGEST: usize = 12;

/// How many numbers a candidate can be.
const NUMBERS: u64 = 1_000_000_000_000;

/// How many candidates are drawn at once: each is taken already with at most 1 in 10,000.
const CANDIDATES: usize = 8;

/// How many random bytes [`candidates`] is made of.
pub const RANDOM_BYTES: usize = 8 * CANDIDATES;

/// 4 to 12 ASCII digits: those of an attempt, or somebody's guess. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits(String);

impl Digits {
    /// What a message guesses: 4 to 12 digits and nothing else, but spaces around and between them.
    /// Full-width digits, which Chinese keyboards produce, count as well.
    pub fn in_message(text: &str) -> Option<Self> {
        let mut digits = String::with_capacity(LONGEST);
        for character in text.chars().filter(|character| !character.is_whitespace()) {
            let digit = match character {
                '0'..='9' => character,
                '０'..='９' => char::from_digit(u32::from(character) - u32::from('０'), 10)?,
                _ => return None,
            };
            if digits.len() == LONGEST {
                return None;
            }
            digits.push(digit);
        }
        GUESS.contains(&digits.len()).then_some(Self(digits))
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn read(text: &str) -> Option<Self> {
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (GUESS.contains(&text.len()) && is_digits).then(|| Self(text.to_owned()))
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digits(…)")
    }
}

/// Numbers of twelve digits, drawn of random bytes: each digit is any of the ten with the same
/// probability, and independent of the others. What would favour some numbers is left out, which
/// happens once in 18 million times.
pub fn candidates(random: [u8; RANDOM_BYTES]) -> Vec<String> {
    let (chunks, _) = random.as_chunks::<8>();
    chunks.iter().copied().filter_map(candidate).collect()
}

fn candidate(random: [u8; 8]) -> Option<String> {
    let drawn = u64::from_be_bytes(random);
    (drawn < u64::MAX - u64::MAX % NUMBERS).then(|| format!("{:012}", drawn % NUMBERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_digits_however_they_are_typed() {
        for same in [
            "123456",
            " 123 456 ",
            "12 34\u{3000}56\n",
            "１２３４５６",
            "１２3\u{a0}4 56",
        ] {
            let guess = Digits::in_message(same).expect("it is one");
            assert_eq!(guess.as_str(), "123456", "{same:?}");
        }
        assert!(Digits::in_message("0000").is_some());
        assert!(Digits::in_message("012345678901").is_some());
        for other in [
            "",
            "   ",
            "123",
            "0123456789012",
            "123-456",
            "12345六",
            "123456.",
            "+123456",
            "١٢٣٤٥٦",
            "my code is 123456",
        ] {
            assert!(Digits::in_message(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_never_shown() {
        let digits = Digits::in_message("１２３ 456").unwrap();
        assert_eq!(Digits::read(digits.as_str()), Some(digits.clone()));
        assert_eq!(format!("{digits:?}"), "Digits(…)");
        for other in ["", "123", "12 345", "0123456789012", "１２３４５６"] {
            assert!(Digits::read(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_would_favour_some_numbers_is_left_out() {
        let limit = u64::MAX - u64::MAX % NUMBERS;
        assert_eq!(limit % NUMBERS, 0);
        assert_eq!(candidate(limit.to_be_bytes()), None);
        assert_eq!(candidate([0xff; 8]), None);
        assert_eq!(
            candidate((limit - 1).to_be_bytes()).as_deref(),
            Some("999999999999")
        );
        assert_eq!(candidate([0; 8]).as_deref(), Some("000000000000"));
        assert_eq!(candidates([0; RANDOM_BYTES]).len(), CANDIDATES);
    }
}
