//! Why a link can't be opened.

/// Why there is no last page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// An address of another scheme, or none.
    #[error("a link must be an http or https address")]
    Address,
    /// More redirects than a browser follows.
    #[error("the link leads through more than 12 addresses")]
    TooManySteps,
    /// No answer came.
    #[error("nothing answered at an address of the link")]
    Unreachable,
    /// The last page has several forms.
    #[error("the page has several forms")]
    SeveralForms,
    /// The form of the last page lacks what was to be pressed.
    #[error("the page's form has no such button or field")]
    NoSuchButton,
}
