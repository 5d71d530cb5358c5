//! Header fields on the wire (HPACK, RFC 7541) without a dynamic table: the plainest form is written.

use super::huffman;

/// A name and its value.
pub(super) type Field = (String, String);

/// `SETTINGS_HEADER_TABLE_SIZE` of 0, the payload of a SETTINGS frame (RFC 9113, section 6.5.1): the peer's encoder has
/// no dynamic table.
pub(super) const NO_DYNAMIC_TABLE: &[u8] = &[0, 1, 0, 0, 0, 0];

/// The static table (RFC 7541, appendix A), from index 1.
#[rustfmt::skip]
const STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
    (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""),
    ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""),
    ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""),
    ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
    ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""),
    ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""),
    ("via", ""), ("www-authenticate", ""),
];

/// A block of fields, every one as a literal that is not indexed.
pub(super) fn encode(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let mut length = text.len();
            // A length takes 7 bits of the first byte, and as many more bytes of 7 bits as it needs.
            if length < 127 {
                block.push(u8::try_from(length).unwrap_or(126));
            } else {
                block.push(127);
                length -= 127;
                while length >= 128 {
                    block.push(u8::try_from(length % 128).unwrap_or(0) | 128);
                    length /= 128;
                }
                block.push(u8::try_from(length).unwrap_or(0));
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// The fields of a block; `None` where it cannot be read. It needs nothing of the blocks before it: who has read our
/// `NO_DYNAMIC_TABLE` may not refer to any table but the static one.
pub(super) fn decode(mut block: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while let Some(&first) = block.first() {
        match first {
            0x80.. => {
                let (name, value) = indexed(integer(&mut block, 7)?)?;
                fields.push((name.to_owned(), value.to_owned()));
            }
            // To be kept in the dynamic table, where nothing has room: that is no error (section 4.4).
            0x40.. => fields.push(literal(&mut block, 6)?),
            // A new size for the table comes before the first field (section 4.2), and is at most what we allow.
            0x20.. => {
                let allowed = fields.is_empty() && integer(&mut block, 5)? == 0;
                allowed.then_some(())?;
            }
            _ => fields.push(literal(&mut block, 4)?),
        }
    }
    Some(fields)
}

fn literal(block: &mut &[u8], bits: u32) -> Option<Field> {
    let name = match integer(block, bits)? {
        0 => string(block)?,
        index => indexed(index)?.0.to_owned(),
    };
    Some((name, string(block)?))
}

fn indexed(index: usize) -> Option<(&'static str, &'static str)> {
    STATIC.get(index.checked_sub(1)?).copied()
}

/// An integer whose first byte has `bits` bits of it (section 5.1).
fn integer(block: &mut &[u8], bits: u32) -> Option<usize> {
    let (first, rest) = block.split_first()?;
    *block = rest;
    let mask = (1_usize << bits) - 1;
    let mut value = usize::from(*first) & mask;
    if value < mask {
        return Some(value);
    }
    // No length here is beyond 2^28.
    for shift in [0, 7, 14, 21] {
        let (next, rest) = block.split_first()?;
        *block = rest;
        value += usize::from(next & 127) << shift;
        if next & 128 == 0 {
            return Some(value);
        }
    }
    None
}

fn string(block: &mut &[u8]) -> Option<String> {
    let coded = block.first()? & 128 != 0;
    let length = integer(block, 7)?;
    let bytes = block.get(..length)?;
    *block = block.get(length..)?;
    let bytes = if coded { huffman::decode(bytes)? } else { bytes.to_vec() };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn pairs(fields: &[Field]) -> Vec<(&str, &str)> {
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// RFC 7541, appendix C.6.1: Huffman codes, and names of the static table.
    const FIRST_RESPONSE: [u8; 54] = [
        0x48, 0x82, 0x64, 0x02, 0x58, 0x85, 0xae, 0xc3, 0x77, 0x1a, 0x4b, 0x61, 0x96, 0xd0, 0x7a, 0xbe, 0x94, 0x10,
        0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04, 0x0b, 0x81, 0x66, 0xe0, 0x82, 0xa6, 0x2d, 0x1b, 0xff, 0x6e,
        0x91, 0x9d, 0x29, 0xad, 0x17, 0x18, 0x63, 0xc7, 0x8f, 0x0b, 0x97, 0xc8, 0xe9, 0xae, 0x82, 0xae, 0x43, 0xd3,
    ];

    #[test]
    fn the_examples_of_the_rfc_without_a_dynamic_table_are_read() {
        // Appendix C.2.1 to C.2.4: every representation there is; C.4.1: a request.
        let custom_key = [&[0x40, 10][..], b"custom-key", &[13], b"custom-header"].concat();
        let path = [&[0x04, 12][..], b"/sample/path"].concat();
        let password = [&[0x10, 8][..], b"password", &[6], b"secret"].concat();
        let request = [
            &[0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a][..],
            &[0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff],
        ]
        .concat();
        let request_fields =
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
        let response_fields = [
            (":status", "302"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("location", "https://www.example.com"),
        ];
        let examples = [
            (&custom_key[..], &[("custom-key", "custom-header")][..]),
            (&path, &[(":path", "/sample/path")]),
            (&password, &[("password", "secret")]),
            (&[0x82], &[(":method", "GET")]),
            (&request, &request_fields),
            (&FIRST_RESPONSE, &response_fields),
        ];
        for (block, fields) in examples {
            assert_eq!(pairs(&decode(block).unwrap()), fields);
        }
    }

    #[test]
    fn what_refers_to_the_dynamic_table_is_refused() {
        // Appendix C.3.2 and C.6.2: the second message of a connection, which refers to the first one's fields.
        let second_request = [&[0x82, 0x86, 0x84, 0xbe, 0x58, 8][..], b"no-cache"].concat();
        let second_response = [0x48, 0x83, 0x64, 0x0e, 0xff, 0xc1, 0xc0, 0xbf];
        let named_by_it = [0x7e, 1, b'a'];
        let kept_and_asked_for = [&[0x40, 1][..], b"a", &[1], b"b", &[0xbe]].concat();
        for block in [&second_request[..], &second_response, &named_by_it, &kept_and_asked_for] {
            assert_eq!(decode(block), None, "{block:x?}");
        }
    }

    #[test]
    fn a_size_of_the_dynamic_table_is_none_and_comes_first() {
        // RFC 7541, sections 4.2 and 6.3: 0x20 is a size of 0; 0x3f 0xe1 0x1f the 4096 that stand without our settings.
        assert_eq!(pairs(&decode(&[0x20, 0x88]).unwrap()), [(":status", "200")]);
        assert_eq!(pairs(&decode(&[0x20, 0x20, 0x88]).unwrap()), [(":status", "200")]);
        for block in [&[0x21, 0x88][..], &[0x3f, 0xe1, 0x1f, 0x88], &[0x20, 0x21, 0x88], &[0x88, 0x20]] {
            assert_eq!(decode(block), None, "{block:x?}");
        }
    }

    #[test]
    fn a_block_that_is_cut_or_points_nowhere_is_refused() {
        for block in [&[0x40][..], &[0x00, 5, b'a'], &[0xff], &[0xbe], &[0x80], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(decode(block), None, "{block:x?}");
        }
        assert_eq!(decode(&FIRST_RESPONSE[..FIRST_RESPONSE.len() - 1]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in vec((".{0,8}", ".{0,300}"), 0..6)) {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let read = decode(&encode(&fields)).unwrap();
            prop_assert_eq!(pairs(&read), fields);
        }

        #[test]
        fn whatever_comes_is_read_alike_alone_and_after_a_field(block in vec(any::<u8>(), 0..80)) {
            let is_size = block.first().is_some_and(|first| (0x20..0x40).contains(first));
            let after = decode(&[encode(&[("a", "b")]), block.clone()].concat());
            let expected = decode(&block).filter(|_| !is_size);
            prop_assert_eq!(after.map(|fields| fields[1..].to_vec()), expected);
        }
    }
}
