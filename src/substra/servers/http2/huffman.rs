//! The Huffman code of HPACK (RFC 7541, appendix B): it is canonical, so that the lengths of its codes tell all of it.

use std::collections::BTreeMap;

/// How many bits the code of each byte has, and of the end of the string as the last.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Decodes a string; `None` if it is no valid code.
pub(super) fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    let codes = codes();
    let mut bytes = Vec::new();
    let (mut code, mut length) = (0_u32, 0_u8);
    for bit in coded.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
        code = code << 1 | u32::from(bit);
        length += 1;
        if let Some(symbol) = codes.get(&(length, code)) {
            bytes.push(u8::try_from(*symbol).ok()?);
            (code, length) = (0, 0);
        } else if length >= 30 {
            return None;
        }
    }
    // The rest of the last byte is the beginning of the end's code: ones, and fewer than eight.
    (length < 8 && code == (1 << length) - 1).then_some(bytes)
}

/// Codes of one length count up in the order of the bytes, and shorter ones come first.
fn codes() -> BTreeMap<(u8, u32), usize> {
    let mut symbols: Vec<(u8, usize)> = LENGTHS.iter().copied().zip(0..).collect();
    symbols.sort_unstable();
    let mut codes = BTreeMap::new();
    let (mut code, mut last) = (0_u32, symbols.first().map_or(0, |(length, _)| *length));
    for (length, symbol) in symbols {
        code <<= length - last;
        codes.insert((length, code), symbol);
        code = code.wrapping_add(1);
        last = length;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 7541, appendix C.4 and C.6.
        let example = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&example).unwrap(), b"www.example.com");
        let example =
            [0x9d, 0x29, 0xad, 0x17, 0x18, 0x63, 0xc7, 0x8f, 0x0b, 0x97, 0xc8, 0xe9, 0xae, 0x82, 0xae, 0x43, 0xd3];
        assert_eq!(decode(&example).unwrap(), b"https://www.example.com");
        assert_eq!(decode(&[0x64, 0x02]).unwrap(), b"302");
        assert_eq!(decode(&[0xff; 4]), None, "the end of the string may not be coded");
        assert_eq!(decode(&[0x00]), None, "the rest of the last byte has to be ones");
    }
}
