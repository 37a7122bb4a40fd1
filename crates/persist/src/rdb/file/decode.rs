//! Reading a file as its bytes arrive.

use super::module::skip_part;
use super::{
    AUX, CHECKSUM_SINCE, END, EXPIRY_MS, EXPIRY_S, FREQUENCY, FUNCTION, IDLE, MAGIC_BYTES,
    MODULE_AUX, ModuleName, RESIZE, SELECT, SLOT_INFO,
};
use crate::rdb::{Checksum, Dialect, Fault, Loaded, Reader, ValueDecoder, ValueType};
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_ds::CorruptError;
use vesta_store::Rules;

/// The newest version of Redis's files that is read.
const REDIS_MAX: u16 = 12;
/// The version of Valkey's files that is read.
const VALKEY: u16 = 80;

/// A part of a file.
#[derive(Clone, Debug)]
pub enum Item {
    /// The file has begun.
    Header {
        /// Whose file it is.
        dialect: Dialect,
        /// Its version.
        version: u16,
    },
    /// Something that the writer said about itself.
    Aux {
        /// What.
        name: Vec<u8>,
        /// The value.
        value: Vec<u8>,
    },
    /// The source of a library of functions.
    Function(Vec<u8>),
    /// The keys that follow are in this database.
    Select(u64),
    /// How many keys the database, or a slot of it, is going to have.
    Resize {
        /// All keys.
        keys: u64,
        /// Those that expire.
        expiring: u64,
    },
    /// A key.
    Key(LoadedKey),
    /// A key whose value is a module's and was skipped.
    ForeignKey {
        /// The key.
        key: Box<[u8]>,
        /// The module's type.
        module: ModuleName,
    },
    /// What a module keeps beside the keys, skipped.
    ForeignAux(ModuleName),
    /// The end. Bytes behind it are not looked at.
    End,
}

/// A key with all that a file says about it.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    /// The key.
    pub key: Box<[u8]>,
    /// The value.
    pub value: Loaded,
    /// When it expires, in milliseconds since 1970.
    pub expiry: Option<u64>,
    /// How many seconds ago it was used.
    pub idle_s: Option<u64>,
    /// The logarithmic counter of how often it was used.
    pub frequency: Option<u8>,
}

/// What came of some bytes.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// So many of them were taken and need not be shown again.
    pub taken: usize,
    /// The item that is complete; `None` when more bytes are needed.
    pub item: Option<Item>,
}

/// Reads a file as its bytes arrive.
pub struct FileDecoder {
    string_bytes_max: u64,
    dialect: Dialect,
    version: u16,
    /// Bytes taken so far.
    position: u64,
    checksum: Checksum,
    next: Next,
    /// What is known of the next key.
    traits: Traits,
    /// How the value is written that was begun last.
    value_type: Option<ValueType>,
    /// Bytes that what is cut lacks at least.
    missing: usize,
}

enum Next {
    Magic,
    Item,
    Value { key: Box<[u8]>, decoder: ValueDecoder },
    ForeignValue { key: Box<[u8]>, module: ModuleName },
    ForeignAux(ModuleName),
    Nothing,
}

#[derive(Default)]
struct Traits {
    expiry: Option<u64>,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

impl FileDecoder {
    /// Reads a file from its first byte on. Strings longer than `string_bytes_max` are refused.
    #[must_use]
    pub fn new(string_bytes_max: u64) -> Self {
        Self {
            string_bytes_max,
            dialect: Dialect::Redis,
            version: 0,
            position: 0,
            checksum: Checksum::new(),
            next: Next::Magic,
            traits: Traits::default(),
            value_type: None,
            missing: 0,
        }
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The key whose value is being read, or could not be.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        match &self.next {
            Next::Value { key, .. } | Next::ForeignValue { key, .. } => Some(key),
            Next::Magic | Next::Item | Next::ForeignAux(_) | Next::Nothing => None,
        }
    }

    /// How the value is written that is being read, or else the last one that was.
    #[must_use]
    pub fn value_type(&self) -> Option<ValueType> {
        self.value_type
    }

    /// After an answer without an item: so many bytes at least must follow those that were shown
    /// before there is any use in trying again.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Whether the end of the file has been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.next, Next::Nothing)
    }

    /// Reads on in `bytes`, which follow what was taken before, up to the end of an item. `rules`
    /// decide which encodings values get; they are to be the same each time.
    ///
    /// # Errors
    /// The first place of the file that cannot be. The decoder is of no more use then.
    pub fn decode(&mut self, bytes: &[u8], rules: &Rules) -> Result<Decoded, CorruptError> {
        let mut reader = Reader::new(bytes, self.position, self.string_bytes_max);
        let item = loop {
            let start = reader.taken();
            match self.step(&mut reader, bytes, rules) {
                Ok(Some(item)) => break Some(item),
                Ok(None) if self.is_done() => break None,
                Ok(None) => {}
                Err(Fault::Short { more }) => {
                    self.missing = more;
                    // The decoder of a value keeps the elements that are whole.
                    if !matches!(self.next, Next::Value { .. }) {
                        reader.rewind(start);
                    }
                    break None;
                }
                Err(Fault::Corrupt(error)) => return Err(error),
            }
        };
        let taken = reader.taken();
        self.position = reader.position();
        self.checksum.add(bytes.get(..taken).unwrap_or_default());
        Ok(Decoded { taken, item })
    }

    /// The error that it is when the file ends here; `None` at the end of a file.
    #[must_use]
    pub fn cut_short(&self) -> Option<CorruptError> {
        let error = CorruptError { at_byte: self.position, expected: "more bytes" };
        (!self.is_done()).then_some(error)
    }

    fn step(
        &mut self,
        reader: &mut Reader<'_>,
        bytes: &[u8],
        rules: &Rules,
    ) -> Result<Option<Item>, Fault> {
        match &mut self.next {
            Next::Magic => self.read_magic(reader).map(Some),
            Next::Item => self.read_item(reader, bytes, rules),
            Next::Value { key, decoder } => {
                let value = decoder.advance(reader, rules)?;
                let key = core::mem::take(key);
                let Traits { expiry, idle_s, frequency } = core::mem::take(&mut self.traits);
                self.next = Next::Item;
                Ok(Some(Item::Key(LoadedKey { key, value, expiry, idle_s, frequency })))
            }
            Next::ForeignValue { key, module } => {
                if !skip_part(reader)? {
                    return Ok(None);
                }
                let item = Item::ForeignKey { key: core::mem::take(key), module: *module };
                self.traits = Traits::default();
                self.next = Next::Item;
                Ok(Some(item))
            }
            Next::ForeignAux(module) => {
                let module = *module;
                let is_end = skip_part(reader)?;
                if is_end {
                    self.next = Next::Item;
                }
                Ok(is_end.then_some(Item::ForeignAux(module)))
            }
            Next::Nothing => Ok(None),
        }
    }

    fn read_magic(&mut self, reader: &mut Reader<'_>) -> Result<Item, Fault> {
        const EXPECTED: &str = "REDIS or VALKEY and a version";
        let magic: [u8; MAGIC_BYTES] = reader.array()?;
        let (dialect, digits) = match &magic {
            [b'R', b'E', b'D', b'I', b'S', digits @ ..] => (Dialect::Redis, &digits[..]),
            [b'V', b'A', b'L', b'K', b'E', b'Y', digits @ ..] => (Dialect::Valkey, &digits[..]),
            _ => return Err(Fault::Corrupt(CorruptError { at_byte: 0, expected: EXPECTED })),
        };
        let version = digits.iter().try_fold(0_u16, |version, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then_some(version * 10 + u16::from(digit))
        });
        let version = version.filter(|version| match dialect {
            Dialect::Redis => (1..=REDIS_MAX).contains(version),
            Dialect::Valkey => *version == VALKEY,
        });
        let Some(version) = version else {
            let at_byte = (MAGIC_BYTES - digits.len()) as u64;
            let expected = "a version from 1 to 12, or 80 of Valkey";
            return Err(Fault::Corrupt(CorruptError { at_byte, expected }));
        };
        (self.dialect, self.version, self.next) = (dialect, version, Next::Item);
        Ok(Item::Header { dialect, version })
    }

    fn read_item(
        &mut self,
        reader: &mut Reader<'_>,
        bytes: &[u8],
        rules: &Rules,
    ) -> Result<Option<Item>, Fault> {
        let start = reader.taken();
        Ok(Some(match reader.byte()? {
            AUX => {
                let (name, value) = (reader.text()?.into_vec(), reader.text()?.into_vec());
                Item::Aux { name, value }
            }
            FUNCTION => Item::Function(reader.text()?.into_vec()),
            SELECT => Item::Select(reader.number()?),
            RESIZE => Item::Resize { keys: reader.number()?, expiring: reader.number()? },
            SLOT_INFO => {
                reader.number()?;
                Item::Resize { keys: reader.number()?, expiring: reader.number()? }
            }
            EXPIRY_MS => {
                self.traits.expiry = Some(reader.time()?);
                return Ok(None);
            }
            EXPIRY_S => {
                let seconds = u64::try_from(i32::from_le_bytes(reader.array()?)).unwrap_or(0);
                self.traits.expiry = Some(seconds * 1000);
                return Ok(None);
            }
            IDLE => {
                self.traits.idle_s = Some(reader.number()?);
                return Ok(None);
            }
            FREQUENCY => {
                self.traits.frequency = Some(reader.byte()?);
                return Ok(None);
            }
            MODULE_AUX => {
                let module = ModuleName::new(reader.number()?);
                // When it was written: before or behind the keys.
                reader.number()?;
                reader.number()?;
                self.next = Next::ForeignAux(module);
                return Ok(None);
            }
            END => {
                self.read_checksum(reader, bytes)?;
                self.next = Next::Nothing;
                Item::End
            }
            code => {
                let Some(value_type) = ValueType::new(code, self.dialect) else {
                    reader.rewind(start);
                    return Err(reader.wrong("an item that is known"));
                };
                let key = reader.text()?.into_vec().into_boxed_slice();
                self.value_type = Some(value_type);
                self.next = match ValueDecoder::new(value_type, rules) {
                    Some(decoder) => Next::Value { key, decoder },
                    None if value_type == ValueType::Module => {
                        let module = ModuleName::new(reader.number()?);
                        Next::ForeignValue { key, module }
                    }
                    None => return Err(reader.wrong("a module's value that can be skipped")),
                };
                return Ok(None);
            }
        }))
    }

    fn read_checksum(&self, reader: &mut Reader<'_>, bytes: &[u8]) -> Result<(), Fault> {
        if self.version < CHECKSUM_SINCE {
            return Ok(());
        }
        let mut checksum = self.checksum.clone();
        checksum.add(bytes.get(..reader.taken()).unwrap_or_default());
        let place = reader.taken();
        let written = u64::from_le_bytes(reader.array()?);
        if written != 0 && written != checksum.value() {
            reader.rewind(place);
            return Err(reader.wrong("the checksum of all in front of it"));
        }
        Ok(())
    }
}
