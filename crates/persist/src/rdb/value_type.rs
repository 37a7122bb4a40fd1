//! The byte in front of a value that says how it is written.

use vesta_store::{Object, Value};

/// Whose type codes are meant: from 22 on, Redis and Valkey differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// Redis: files that begin with `REDIS`, payloads up to version 12.
    Redis,
    /// Valkey since 9.0: files that begin with `VALKEY`, payloads of version 80.
    Valkey,
}

/// Which servers shall be able to read what is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// Redis 7.0 and everything later: RDB version 10.
    Redis70,
    /// Redis 7.2, Valkey 7.2 and everything later: RDB version 11.
    Redis72,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueType {
    /// 0: a string.
    String,
    /// 1: a list as strings.
    List,
    /// 2: a set as strings.
    Set,
    /// 3: a sorted set as strings and scores in decimal.
    Zset,
    /// 4: a hash as strings.
    Hash,
    /// 5: a sorted set as strings and binary scores.
    Zset2,
    /// 6: the value of a module, as release candidates of Redis 4.0 wrote it.
    ModuleCandidate,
    /// 7: the value of a module.
    Module,
    /// 9: a hash as a zipmap (before Redis 2.6).
    HashZipmap,
    /// 10: a list as a ziplist.
    ListZiplist,
    /// 11: a set of integers.
    SetIntset,
    /// 12: a sorted set as a ziplist.
    ZsetZiplist,
    /// 13: a hash as a ziplist.
    HashZiplist,
    /// 14: a list as several ziplists.
    ListQuicklist,
    /// 15: a stream.
    Stream,
    /// 16: a hash as a listpack.
    HashListpack,
    /// 17: a sorted set as a listpack.
    ZsetListpack,
    /// 18: a list as several listpacks and large elements.
    ListQuicklist2,
    /// 19: a stream with more counters.
    Stream2,
    /// 20: a set as a listpack.
    SetListpack,
    /// 21: a stream with the times of its consumers' activity.
    Stream3,
    /// 22: a hash whose fields expire, as release candidates of Redis 7.4 wrote it.
    HashExpiringCandidate,
    /// 23: the same as a listpack.
    HashExpiringListpackCandidate,
    /// 24: a hash whose fields expire.
    HashExpiring,
    /// 25: the same as a listpack.
    HashExpiringListpack,
    /// 22 of Valkey: a hash whose fields expire.
    HashExpiringValkey,
}

impl ValueType {
    /// All types with their codes and names, in the dialect of Redis.
    const REDIS: [(u8, Self, &str); 25] = [
        (0, Self::String, "string"),
        (1, Self::List, "list-linked"),
        (2, Self::Set, "set-hashtable"),
        (3, Self::Zset, "zset-v1"),
        (4, Self::Hash, "hash-hashtable"),
        (5, Self::Zset2, "zset-v2"),
        (6, Self::ModuleCandidate, "module-pre-release"),
        (7, Self::Module, "module-value"),
        (9, Self::HashZipmap, "hash-zipmap"),
        (10, Self::ListZiplist, "list-ziplist"),
        (11, Self::SetIntset, "set-intset"),
        (12, Self::ZsetZiplist, "zset-ziplist"),
        (13, Self::HashZiplist, "hash-ziplist"),
        (14, Self::ListQuicklist, "quicklist"),
        (15, Self::Stream, "stream"),
        (16, Self::HashListpack, "hash-listpack"),
        (17, Self::ZsetListpack, "zset-listpack"),
        (18, Self::ListQuicklist2, "quicklist-v2"),
        (19, Self::Stream2, "stream-v2"),
        (20, Self::SetListpack, "set-listpack"),
        (21, Self::Stream3, "stream-v3"),
        (22, Self::HashExpiringCandidate, "hash-expiring-pre-release"),
        (23, Self::HashExpiringListpackCandidate, "hash-expiring-listpack-pre-release"),
        (24, Self::HashExpiring, "hash-expiring"),
        (25, Self::HashExpiringListpack, "hash-expiring-listpack"),
    ];
    /// The first code that means something else in Valkey.
    const DIVERGED: u8 = 22;

    /// The type that `code` stands for.
    #[must_use]
    pub fn new(code: u8, dialect: Dialect) -> Option<Self> {
        if dialect == Dialect::Valkey && code >= Self::DIVERGED {
            return (code == Self::DIVERGED).then_some(Self::HashExpiringValkey);
        }
        let known = Self::REDIS.iter().find(|(known, ..)| *known == code);
        known.map(|(_, value_type, _)| *value_type)
    }

    /// The byte that stands for the type.
    #[must_use]
    pub fn code(self) -> u8 {
        self.row().map_or(Self::DIVERGED, |(code, ..)| code)
    }

    /// What it is called in reports. Up to 19 these are the names that redis-check-rdb 7.0.15 has.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("hash-expiring-valkey", |(.., name)| name)
    }

    fn row(self) -> Option<(u8, Self, &'static str)> {
        Self::REDIS.into_iter().find(|(_, value_type, _)| *value_type == self)
    }

    /// The type that a value is written as.
    #[must_use]
    pub fn of(value: &Value<'_, Object>, target: Target) -> Self {
        let object = match value {
            Value::String(_) => return Self::String,
            Value::Object(object) => object,
            Value::Packed(_) => return Self::HashListpack,
        };
        match object {
            Object::Hash(hash) if hash.listpack().is_some() => Self::HashListpack,
            Object::Hash(hash) if hash.expiring() > 0 => Self::HashExpiring,
            Object::Hash(_) => Self::Hash,
            Object::List(_) => Self::ListQuicklist2,
            Object::Set(set) if set.intset().is_some() => Self::SetIntset,
            Object::Set(set) if set.listpack().is_some() && target == Target::Redis72 => {
                Self::SetListpack
            }
            Object::Set(_) => Self::Set,
            Object::Stream(_) if target == Target::Redis72 => Self::Stream3,
            Object::Stream(_) => Self::Stream2,
            Object::Zset(zset) if zset.listpack().is_some() => Self::ZsetListpack,
            Object::Zset(_) => Self::Zset2,
        }
    }

    /// The RDB version that a reader must know for this type; 10 at least, which is the lowest that
    /// is written.
    #[must_use]
    pub fn version(self) -> u16 {
        match self {
            Self::HashExpiringCandidate
            | Self::HashExpiringListpackCandidate
            | Self::HashExpiring
            | Self::HashExpiringListpack => 12,
            Self::HashExpiringValkey => 80,
            Self::SetListpack | Self::Stream3 => 11,
            Self::String
            | Self::List
            | Self::Set
            | Self::Zset
            | Self::Hash
            | Self::Zset2
            | Self::ModuleCandidate
            | Self::Module
            | Self::HashZipmap
            | Self::ListZiplist
            | Self::SetIntset
            | Self::ZsetZiplist
            | Self::HashZiplist
            | Self::ListQuicklist
            | Self::Stream
            | Self::HashListpack
            | Self::ZsetListpack
            | Self::ListQuicklist2
            | Self::Stream2 => 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_types_belong_together_in_both_dialects() {
        for code in 0..=255 {
            for dialect in [Dialect::Redis, Dialect::Valkey] {
                if let Some(value_type) = ValueType::new(code, dialect) {
                    assert_eq!(value_type.code(), code);
                }
            }
        }
        assert_eq!(ValueType::new(8, Dialect::Redis), None);
        assert_eq!(ValueType::new(22, Dialect::Valkey), Some(ValueType::HashExpiringValkey));
        assert_eq!(ValueType::new(24, Dialect::Valkey), None);
        assert_eq!(ValueType::new(26, Dialect::Redis), None);
    }
}
