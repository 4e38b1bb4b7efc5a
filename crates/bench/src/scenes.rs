//! The scenes that WeChat's stand-in has made codes for, found again by what the code holds.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// What a code holds, up to its number; as long as WeChat's own with it.
const CONTENT: &str = "http://weixin.qq.com/q/02cGd9FoRdbFh1HuVy1u1z2026benc";

/// The digits of a number.
const DIGITS: usize = 8;

/// The path below which the stand-in tells of which scene a code is.
const PATH: &str = "/scenes/";

/// How many codes are remembered: more than a turn makes.
const REMEMBERED: usize = 500_000;

/// All scenes, by the numbers of their codes.
#[derive(Debug, Default)]
pub(crate) struct Scenes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    first: usize,
    scenes: VecDeque<Box<str>>,
}

impl Scenes {
    /// Remembers the scene of a request for a code, and returns what the code holds.
    pub(crate) fn content(&self, request: &str) -> String {
        let scene = request.split_once("\"scene_str\":\"");
        let scene = scene.and_then(|(_, rest)| rest.split('"').next());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.scenes.len() == REMEMBERED {
            known.scenes.pop_front();
            known.first += 1;
        }
        let number = known.first + known.scenes.len();
        known.scenes.push_back(scene.unwrap_or_default().into());
        format!("{CONTENT}{number:0DIGITS$}")
    }

    /// The scene that somebody asks for by this path.
    pub(crate) fn scene(&self, path: &str) -> Option<String> {
        let number: usize = path.strip_prefix(PATH)?.parse().ok()?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = known.scenes.get(number.checked_sub(known.first)?)?;
        Some(scene.to_string())
    }
}

/// The path that tells of which scene a code is that holds this.
pub(crate) fn path(content: &str) -> String {
    let number = content.len().saturating_sub(DIGITS);
    format!("{PATH}{}", content.get(number..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codes_content_leads_to_its_scene() {
        let scenes = Scenes::default();
        let request =
            |scene: &str| format!(r#"{{"action_info":{{"scene":{{"scene_str":"{scene}"}}}}}}"#);
        let codes = ["a", "b"].map(|scene| scenes.content(&request(scene)));
        assert_eq!(scenes.scene(&path(&codes[1])).as_deref(), Some("b"));
        assert_eq!(scenes.scene(&path(&codes[0])).as_deref(), Some("a"));
        assert_eq!(scenes.scene("/scenes/00000002"), None);
    }
}
