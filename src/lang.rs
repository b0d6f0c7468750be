//! The languages people can read us in.
use serde::{Deserialize, Serialize};

/// A language of scenarios and of the product's own messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lang {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Traditional Chinese, as written in Taiwan.
    #[serde(rename = "zh-TW")]
    ZhTw,
}

impl Lang {
    /// All languages.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::ZhTw];

    /// The language's tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::ZhTw => "zh-TW",
        }
    }

    /// The one of two that is in this language, for words that are used in one place only.
    pub fn pick<T>(self, en: T, zh_tw: T) -> T {
        match self {
            Lang::En => en,
            Lang::ZhTw => zh_tw,
        }
    }

    /// The language of a locale name such as `zh_TW.UTF-8`, if we speak it. Every Chinese locale is given the only Chinese
    /// there is.
    ///
    /// ```
    /// use ckad_grade::lang::Lang;
    /// assert_eq!(Lang::of_locale("zh_TW.UTF-8"), Some(Lang::ZhTw));
    /// assert_eq!(Lang::of_locale("en_GB"), Some(Lang::En));
    /// assert_eq!(Lang::of_locale("C"), None);
    /// ```
    pub fn of_locale(locale: &str) -> Option<Lang> {
        match locale.split(['_', '-', '.', '@']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Lang::En),
            "zh" => Some(Lang::ZhTw),
            _ => None,
        }
    }
}

/// A text in every language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Traditional Chinese.
    #[serde(rename = "zh-TW")]
    pub zh_tw: String,
}

impl Text {
    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::ZhTw => &self.zh_tw,
        }
    }
}
