//! Identifiers that look like the API server's but are counted, so that the same input gives the same output.

/// Hands out uids and the random parts of generated names.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    counter: u64,
    endpoints: u64,
}

impl Identities {
    fn next(&mut self) -> u64 {
        self.counter += 1;
        mix(self.counter)
    }

    /// A uid in the form of a version 4 UUID.
    pub fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        uuid(a, b)
    }

    /// A uid for Endpoints. They are counted by themselves: what else is called how does not depend on them.
    pub fn uid_of_endpoints(&mut self) -> String {
        self.endpoints += 1;
        uuid(mix(!self.endpoints), scramble(!self.endpoints))
    }

    /// Five characters from the alphabet of `k8s.io/apimachinery/pkg/util/rand`, as after a `generateName`.
    pub fn suffix(&mut self) -> String {
        let mut bits = self.next();
        (0..5)
            .map(|_| {
                let letter = safe_letter(bits);
                bits /= ALPHABET.len() as u64;
                letter
            })
            .collect()
    }
}

fn uuid(a: u64, b: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

fn safe_letter(number: u64) -> char {
    char::from(ALPHABET[(number % ALPHABET.len() as u64) as usize])
}

/// A short hash of some text in that alphabet: what a pod template hash or a controller revision hash is made of.
pub fn hash_suffix(text: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (mix(hash) as u32).to_string().bytes().map(|b| safe_letter(u64::from(b))).collect()
}

/// The number with this counter of splitmix64's sequence.
fn mix(counter: u64) -> u64 {
    scramble(counter.wrapping_mul(GOLDEN_GAMMA))
}

/// How far apart the states of splitmix64 are.
pub(crate) const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64: neighbouring states become numbers that have nothing in common.
pub(crate) fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
