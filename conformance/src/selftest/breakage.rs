//! The ways in which a behaviour can be broken, each with a name that says what is wrong.

use std::fmt;
use std::str::FromStr;

macro_rules! breakages {
    ($($(#[doc = $doc:literal])+ $variant:ident $(($argument:ident))? = $word:literal),+ $(,)?) => {
        /// One way of being wrong. It is written as a word, and an argument when it has one.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Breakage {
            $($(#[doc = $doc])+ $variant $((breakages!(@type $argument)))?),+
        }

        impl fmt::Display for Breakage {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(breakages!(@pattern $variant $($argument)?) => {
                        f.write_str($word)?;
                        $(write!(f, " {}", $argument)?;)?
                        Ok(())
                    })+
                }
            }
        }

        impl FromStr for Breakage {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let (word, _rest) = text.split_once(' ').unwrap_or((text, ""));
                match word {
                    $($word => Ok(breakages!(@read _rest $variant $($argument)?)),)+
                    _ => Err(format!("no breakage is called '{word}'")),
                }
            }
        }

        impl Breakage {
            /// Every word with what it means.
            pub const WORDS: &'static [(&'static str, &'static str)] = &[$(($word, concat!($($doc),+))),+];
        }
    };
    (@type $argument:ident) => { String };
    (@pattern $variant:ident) => { Breakage::$variant };
    (@pattern $variant:ident $argument:ident) => { Breakage::$variant($argument) };
    (@read $rest:ident $variant:ident) => { Breakage::$variant };
    (@read $rest:ident $variant:ident $argument:ident) => { Breakage::$variant($rest.to_owned()) };
}

breakages! {
    // What came is changed before it is compared.
    /// The status is another of its class.
    Status = "status-differs",
    /// What is refused succeeds.
    Accepted = "refusal-succeeds",
    /// What succeeds is refused.
    Refused = "success-is-refused",
    /// The text of the error or message reads otherwise.
    Message = "message-differs",
    /// Of several faults only the first is told.
    FirstFault = "only-first-fault",
    /// A member of the answer is missing.
    MemberMissing(name) = "member-missing",
    /// A member of the answer has another value.
    MemberDiffers(name) = "member-differs",
    /// The answer has a member more.
    MemberMore = "member-more",
    /// A header of the answer is missing.
    HeaderMissing(name) = "header-missing",
    /// A header of the answer has another value.
    HeaderDiffers(name) = "header-differs",
    /// A header is there that must not be.
    HeaderMore(name) = "header-more",
    /// The media type of the answer is another.
    ContentType = "content-type-differs",
    /// The media type of the answer has a parameter more.
    Parameters = "content-type-has-parameters",
    /// The elements of lists come in reverse order.
    Reversed = "order-reversed",
    /// An element of a list is missing.
    RecordMissing = "record-missing",
    /// An element of a list comes twice.
    RecordTwice = "record-twice",
    /// A list has an element more.
    RecordMore = "record-more",
    /// Nothing is found or listed.
    NothingFound = "nothing-found",
    /// What is null is left out.
    NullsMissing = "nulls-missing",
    /// What is null has a value.
    NullsFilled = "nulls-filled",
    /// Numbers are others.
    NumbersDiffer = "numbers-differ",
    /// Numbers are written as texts.
    NumbersAsTexts = "numbers-as-texts",
    /// Texts are others.
    TextsDiffer = "texts-differ",
    /// Texts lose the difference of small and capital letters.
    CaseLost = "case-lost",
    /// True and false change places.
    BooleansFlipped = "booleans-flipped",
    /// An object or array in an answer is its JSON text.
    Flattened = "structure-as-text",
    /// The body is empty.
    Empty = "body-empty",
    /// The bytes of the body are others.
    BytesDiffer = "bytes-differ",
    /// A binary body is laid out in another way.
    FormDiffers = "form-differs",
    /// The connection is kept where it must be closed, or closed where it must be kept.
    ConnectionDiffers = "connection-differs",
    /// One answer less than requests.
    AnswerMissing = "answer-missing",

    // The target does something else than it was asked.
    /// A member of the operation's request is ignored: `operation.member`.
    Ignored(member) = "member-ignored",
    /// A header of requests is ignored.
    HeaderIgnored(name) = "header-ignored",
    /// The operation is acknowledged, but not done.
    NotDone(operation) = "acknowledged-not-done",
    /// The operation is done although it was refused, by the super user's right.
    Forgiving = "permission-ignored",
    /// Whoever is refused for lack of right credentials acts as the super user.
    Anybody = "credentials-ignored",
    /// Names are taken for the same when they differ only in case.
    NamesFolded = "names-folded",
    /// Reads answer what they answered the first time.
    Stale = "reads-are-stale",
    /// Every body is taken for JSON, whatever its media type says.
    AlwaysJson = "media-type-ignored",
}

impl Breakage {
    /// True when the whole story must be told again to see it; else the answer that came is changed.
    pub fn is_between(&self) -> bool {
        matches!(
            self,
            Breakage::Ignored(_)
                | Breakage::HeaderIgnored(_)
                | Breakage::NotDone(_)
                | Breakage::Forgiving
                | Breakage::Anybody
                | Breakage::NamesFolded
                | Breakage::Stale
                | Breakage::AlwaysJson
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for breakage in [Breakage::Status, Breakage::Ignored("insert.records".into()), Breakage::Stale] {
            assert_eq!(breakage.to_string().parse(), Ok(breakage));
        }
        assert!("nonsense".parse::<Breakage>().is_err());
        let words: std::collections::BTreeSet<_> = Breakage::WORDS.iter().map(|(word, _)| word).collect();
        assert_eq!(words.len(), Breakage::WORDS.len());
    }
}
