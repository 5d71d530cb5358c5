//! Header fields on the wire (HPACK, RFC 7541): all that a peer may send is read, the plainest form is written.

use super::huffman;

/// A name and its value.
pub(super) type Field = (String, String);

/// How large the dynamic table may get while nobody says otherwise (RFC 9113, section 6.5.2).
const TABLE: usize = 4096;

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

/// The decoder of one connection.
#[derive(Default)]
pub(super) struct Decoder {
    /// The newest first.
    dynamic: Vec<Field>,
}

impl Decoder {
    /// The fields of a block; `None` where it cannot be read.
    pub(super) fn decode(&mut self, mut block: &[u8]) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        while let Some(&first) = block.first() {
            match first {
                0x80.. => {
                    let index = integer(&mut block, 7)?;
                    fields.push(self.at(index)?);
                }
                0x40.. => {
                    let field = self.literal(&mut block, 6)?;
                    self.dynamic.insert(0, field.clone());
                    self.evict(TABLE);
                    fields.push(field);
                }
                0x20.. => {
                    let size = integer(&mut block, 5)?;
                    self.evict(size.min(TABLE));
                }
                _ => fields.push(self.literal(&mut block, 4)?),
            }
        }
        Some(fields)
    }

    fn literal(&self, block: &mut &[u8], bits: u32) -> Option<Field> {
        let name = match integer(block, bits)? {
            0 => string(block)?,
            index => self.at(index)?.0,
        };
        Some((name, string(block)?))
    }

    fn at(&self, index: usize) -> Option<Field> {
        let index = index.checked_sub(1)?;
        match STATIC.get(index) {
            Some((name, value)) => Some(((*name).to_owned(), (*value).to_owned())),
            None => self.dynamic.get(index - STATIC.len()).cloned(),
        }
    }

    /// An entry's size is that of its texts and 32 (section 4.1).
    fn evict(&mut self, most: usize) {
        while self.dynamic.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>() > most {
            self.dynamic.pop();
        }
    }
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
    use super::*;

    fn pairs(fields: &[Field]) -> Vec<(&str, &str)> {
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(400);
        let fields = [(":method", "POST"), ("mspid", "MyOrg1MSP"), ("long", long.as_str())];
        assert_eq!(pairs(&Decoder::default().decode(&encode(&fields)).unwrap()), fields);
    }

    #[test]
    fn the_responses_of_the_rfc_are_read_one_after_the_other() {
        // RFC 7541, appendix C.6.1 and C.6.2: Huffman codes and the dynamic table.
        let mut decoder = Decoder::default();
        let first = [
            0x48, 0x82, 0x64, 0x02, 0x58, 0x85, 0xae, 0xc3, 0x77, 0x1a, 0x4b, 0x61, 0x96, 0xd0, 0x7a, 0xbe, 0x94, 0x10,
            0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04, 0x0b, 0x81, 0x66, 0xe0, 0x82, 0xa6, 0x2d, 0x1b, 0xff, 0x6e,
            0x91, 0x9d, 0x29, 0xad, 0x17, 0x18, 0x63, 0xc7, 0x8f, 0x0b, 0x97, 0xc8, 0xe9, 0xae, 0x82, 0xae, 0x43, 0xd3,
        ];
        let mut expected = [
            (":status", "302"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("location", "https://www.example.com"),
        ];
        assert_eq!(pairs(&decoder.decode(&first).unwrap()), expected);
        expected[0].1 = "307";
        assert_eq!(
            pairs(&decoder.decode(&[0x48, 0x83, 0x64, 0x0e, 0xff, 0xc1, 0xc0, 0xbf]).unwrap()),
            [expected[0], expected[1], expected[2], expected[3]]
        );
    }

    #[test]
    fn a_block_that_is_cut_or_points_nowhere_is_refused() {
        for block in [&[0x40][..], &[0x00, 5, b'a'], &[0xff], &[0xbe], &[0x80], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
            assert!(Decoder::default().decode(block).is_none(), "{block:x?}");
        }
    }
}
