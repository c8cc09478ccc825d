//! Text and bytes of files in the encodings of the API, whose meaning is that of Node's buffers.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};

/// An encoding of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `utf8`.
    Utf8,
    /// `ASCII`: reads seven bits of each byte, writes like latin1.
    Ascii,
    /// `latin1` and `binary`.
    Latin1,
    /// `hex`.
    Hex,
    /// `base64`.
    Base64,
    /// `utf16le` and `ucs2`.
    Utf16,
}

impl Encoding {
    /// The encoding of that name, in exactly that case.
    pub fn named(name: &str) -> Option<Encoding> {
        Some(match name {
            "utf8" => Encoding::Utf8,
            "ASCII" => Encoding::Ascii,
            "binary" | "latin1" => Encoding::Latin1,
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            "utf16le" | "ucs2" => Encoding::Utf16,
            _ => return None,
        })
    }

    /// The text that shows these bytes. What is no text in the encoding becomes U+FFFD.
    pub fn text_of(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Encoding::Ascii => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
            Encoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Base64 => general_purpose::STANDARD.encode(bytes),
            Encoding::Utf16 => {
                let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        }
    }

    /// The bytes that this text stands for. Nothing is refused: what is not in the encoding is left out.
    pub fn bytes_of(self, text: &str) -> Vec<u8> {
        match self {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Ascii | Encoding::Latin1 => {
                text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect()
            }
            Encoding::Hex => hex_bytes(text),
            Encoding::Base64 => base64_bytes(text),
            Encoding::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }
}

/// Pairs of digits up to the first that is none.
fn hex_bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().as_chunks::<2>().0;
    pairs.iter().map_while(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Forgiving base64: both alphabets, line breaks and strange characters skipped, padding optional.
pub fn base64_bytes(text: &str) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    let mut kept: Vec<u8> = text.bytes().take_while(|byte| *byte != b'=').filter_map(standard).collect();
    if kept.len() % 4 == 1 {
        kept.pop();
    }
    engine.decode(kept).unwrap_or_default()
}

fn standard(byte: u8) -> Option<u8> {
    match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 8] = ["utf8", "ASCII", "binary", "hex", "base64", "utf16le", "latin1", "ucs2"];

    fn read(name: &str, bytes: &[u8]) -> String {
        Encoding::named(name).unwrap().text_of(bytes)
    }

    fn write(name: &str, text: &str) -> Vec<u8> {
        Encoding::named(name).unwrap().bytes_of(text)
    }

    #[test]
    fn bytes_are_shown_as_node_shows_them() {
        let bytes = "Søgne".as_bytes();
        assert_eq!(read("utf8", bytes), "Søgne");
        assert_eq!(read("ASCII", bytes), "SC8gne");
        assert_eq!(read("binary", bytes), "SÃ¸gne");
        assert_eq!(read("hex", bytes), "53c3b8676e65");
        assert_eq!(read("base64", bytes), "U8O4Z25l");
        assert_eq!(read("utf8", b"a\xff\xc3b"), "a\u{fffd}\u{fffd}b");
        assert_eq!(read("utf16le", b"a\0b\0c"), "ab");
        assert_eq!(read("ucs2", b"\x00\xd8a\0"), "\u{fffd}a");
    }

    #[test]
    fn text_is_written_as_node_writes_it() {
        assert_eq!(write("latin1", "é€"), [0xe9, 0xac]);
        assert_eq!(write("hex", "4a4Bzz4c"), b"JK");
        assert_eq!(write("hex", "4a4"), b"J");
        assert_eq!(write("base64", "aGVs\nbG8"), b"hello");
        assert_eq!(write("base64", "-_8="), [0xfb, 0xff]);
        assert_eq!(write("base64", "aGVsb"), b"hel");
        assert_eq!(write("base64", "****"), b"");
        assert_eq!(write("utf16le", "aø"), [b'a', 0, 0xf8, 0]);
        assert_eq!(Encoding::named("UTF8"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_text_are_too_strange(bytes: Vec<u8>, text: String) {
            for name in NAMES {
                read(name, &bytes);
                write(name, &text);
            }
        }

        #[test]
        fn what_keeps_all_bytes_gives_them_back(bytes: Vec<u8>) {
            for name in ["binary", "hex", "base64"] {
                prop_assert_eq!(write(name, &read(name, &bytes)), bytes.clone());
            }
        }
    }
}
