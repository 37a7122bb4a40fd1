//! Requests on places. No two members are ever at the same distance from anywhere that is asked
//! about, because their order would then be anybody's; and distances are kept only where they are
//! 0, because other ones print in more digits than both servers have in common.

use super::Slot::{self, Either, From, Key, Many, Maybe, Word};

/// A member, at one of its own places.
const PLACES: &[&[Slot]] = &[
    &[Word("13.361389"), Word("38.115556"), Word("Palermo")],
    &[Word("15.087269"), Word("37.502669"), Word("Catania")],
    &[Word("2.349014"), Word("48.864716"), Word("Paris")],
    &[Word("2.351"), Word("48.8566"), Word("Paris")],
    &[Word("-122.419416"), Word("37.774929"), Word("San Francisco")],
    &[Word("151.20929"), Word("-33.86882"), Word("Sydney")],
    &[Word("179.9"), Word("-16.5"), Word("Taveuni")],
    &[Word("-179.98"), Word("-16.7"), Word("Taveuni")],
    &[Word("-176.2"), Word("-43.9"), Word("Chatham")],
    &[Word("15.6333"), Word("78.2232"), Word("Longyearbyen")],
    &[Word("166.67"), Word("-77.85"), Word("McMurdo")],
    &[Word("180"), Word("3.3"), Word("limit")],
    &[Word("-180"), Word("-7.1"), Word("other limit")],
    &[Word("11.3"), Word("85.05112878"), Word("north")],
    &[Word("-47.1"), Word("-85.05112878"), Word("south")],
    &[Word("0"), Word("-0"), Word("null")],
    &[Word("0x1p-3"), Word("+0.25"), Word("")],
    &[Word("13.3614"), Word("38.1156"), Word("17")],
];
const MEMBER: Slot = From(&[
    b"Palermo",
    b"Catania",
    b"Paris",
    b"San Francisco",
    b"Sydney",
    b"Taveuni",
    b"Chatham",
    b"Longyearbyen",
    b"McMurdo",
    b"limit",
    b"other limit",
    b"north",
    b"south",
    b"null",
    b"",
    b"17",
    b"odd",
    b"nobody",
]);
const LONGITUDE: Slot = From(&[
    b"15", b"2.3", b"-122", b"179.95", b"-179.9", b"180", b"-180", b"0.0001", b"77.7", b"-60.1",
    b"180.1", b"inf", b"nan", b"x", b"", b"1e400",
]);
const LATITUDE: Slot = From(&[
    b"37",
    b"48.8",
    b"-16.6",
    b"85",
    b"-85.05112878",
    b"85.05112878",
    b"0.0001",
    b"66.5",
    b"-80.2",
    b"-33.3",
    b"86",
    b"x",
]);
const LENGTH: Slot = From(&[
    b"0", b"1", b"10", b"200", b"250.5", b"1000", b"3500", b"9000", b"15000", b"20100", b"1e6",
    b"1e300", b"inf", b"-1", b"nan", b"x",
]);
const UNIT: Slot =
    From(&[b"km", b"km", b"KM", b"m", b"mi", b"ft", b"M", b"Mi", b"FT", b"parsec", b""]);
const COUNT: Slot = From(&[
    b"1",
    b"2",
    b"3",
    b"5",
    b"100",
    b"9223372036854775807",
    b"0",
    b"-1",
    b"x",
    b"9223372036854775808",
]);
/// Scores that no place gives.
const ODD_SCORE: Slot = From(&[b"-5", b"1.5", b"3479099956230698.5", b"9007199254740994"]);

const FROM: &[&[Slot]] = &[
    &[Word("FROMMEMBER"), MEMBER],
    &[Word("frommember"), MEMBER],
    &[Word("FROMLONLAT"), LONGITUDE, LATITUDE],
    &[Word("FROMLONLAT"), LONGITUDE, LATITUDE],
];
const BY: &[&[Slot]] = &[
    &[Word("BYRADIUS"), LENGTH, UNIT],
    &[Word("BYRADIUS"), LENGTH, Word("km")],
    &[Word("BYBOX"), LENGTH, LENGTH, UNIT],
    &[Word("BYBOX"), LENGTH, LENGTH, Word("km")],
];
const SHOWN: &[&[Slot]] = &[
    &[Word("WITHDIST")],
    &[Word("WITHHASH")],
    &[Word("WITHCOORD")],
    &[Word("withdist"), Word("withcoord"), Word("withhash")],
    &[Word("ASC")],
    &[Word("DESC")],
    &[Word("COUNT"), COUNT],
    &[Word("COUNT"), COUNT, Word("ANY")],
    &[Word("ANY")],
];
const KEPT: &[&[Slot]] = &[
    &[Word("ASC")],
    &[Word("desc")],
    &[Word("COUNT"), COUNT],
    &[Word("COUNT"), COUNT, Word("any")],
    &[Word("WITHDIST")],
];
const ADDING: &[&[Slot]] =
    &[&[Word("NX")], &[Word("XX")], &[Word("CH")], &[Word("ch"), Word("xx")]];

/// The command lines. GEOADD stands several times, so that there is something to find.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("GEOADD"), Key, Many(&[Either(PLACES)])],
    &[Word("GEOADD"), Key, Many(&[Either(PLACES)])],
    &[Word("GEOADD"), Key, Many(&[Either(PLACES)]), Many(&[Either(PLACES)])],
    &[Word("GEOADD"), Key, Many(&[Either(PLACES)]), Many(&[Either(PLACES)])],
    &[Word("GEOADD"), Key, Many(&[Either(ADDING)]), Many(&[Either(PLACES)])],
    &[Word("GEOADD"), Key, LONGITUDE, Word("86"), MEMBER],
    &[Word("GEOADD"), Key, Word("nan"), LATITUDE, MEMBER],
    &[Word("ZADD"), Key, ODD_SCORE, Word("odd")],
    &[Word("ZREM"), Key, MEMBER],
    &[Word("GEODIST"), Key, MEMBER, MEMBER, Maybe(&[UNIT])],
    &[Word("GEOPOS"), Key, Many(&[MEMBER])],
    &[Word("GEOHASH"), Key, Many(&[MEMBER])],
    &[Word("GEOSEARCH"), Key, Either(FROM), Either(BY)],
    &[Word("GEOSEARCH"), Key, Either(FROM), Either(BY), Many(&[Either(SHOWN)])],
    &[Word("GEOSEARCH"), Key, Either(FROM), Either(BY), Many(&[Either(SHOWN)])],
    &[
        Word("GEOSEARCH"),
        Key,
        Many(&[Either(SHOWN)]),
        Either(BY),
        Maybe(&[Either(BY)]),
        Either(FROM),
    ],
    &[Word("GEOSEARCH"), Key, Many(&[Either(FROM)]), Many(&[Either(SHOWN)]), Many(&[Either(BY)])],
    &[Word("GEOSEARCHSTORE"), Key, Key, Either(FROM), Either(BY)],
    &[Word("GEOSEARCHSTORE"), Key, Key, Either(FROM), Either(BY), Many(&[Either(KEPT)])],
    &[
        Word("GEOSEARCHSTORE"),
        Key,
        Key,
        Word("FROMMEMBER"),
        MEMBER,
        Word("BYRADIUS"),
        Word("0"),
        UNIT,
        Word("STOREDIST"),
    ],
    &[Word("GEORADIUS"), Key, LONGITUDE, LATITUDE, LENGTH, UNIT, Maybe(&[Many(&[Either(SHOWN)])])],
    &[Word("GEORADIUS"), Key, LONGITUDE, LATITUDE, LENGTH, UNIT, Word("STORE"), Key],
    &[Word("GEORADIUS_RO"), Key, LONGITUDE, LATITUDE, LENGTH, UNIT, Many(&[Either(SHOWN)])],
    &[Word("GEORADIUSBYMEMBER"), Key, MEMBER, LENGTH, UNIT, Maybe(&[Many(&[Either(SHOWN)])])],
    &[
        Word("GEORADIUSBYMEMBER"),
        Key,
        MEMBER,
        LENGTH,
        UNIT,
        Many(&[Either(KEPT)]),
        Word("STORE"),
        Key,
    ],
    &[Word("GEORADIUSBYMEMBER"), Key, MEMBER, Word("0"), UNIT, Word("STOREDIST"), Key],
    &[Word("GEORADIUSBYMEMBER_RO"), Key, MEMBER, LENGTH, UNIT, Many(&[Either(SHOWN)])],
    &[Word("ZRANGE"), Key, Word("0"), Word("-1"), Word("WITHSCORES")],
    &[Word("OBJECT"), Word("ENCODING"), Key],
];
