//! What is asked about the members in an area.

use super::area;
use crate::geo::earth::Shape;
use crate::geo::hash::Position;
use crate::geo::unit::Unit;
use crate::{Cursor, ReplyError};
use alloc::format;
use alloc::string::String;
use vesta_store::Zset;

/// In which order of their distances members are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Nearest,
    Farthest,
}

/// What a command's name says about the options it takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// GEORADIUS and GEORADIUSBYMEMBER: the result may be kept.
    Radius,
    /// Their forms that only read.
    RadiusReadOnly,
    /// GEOSEARCH: the area is among the options.
    Search,
    /// GEOSEARCHSTORE: so it is, and the result is kept.
    SearchStore,
}

/// Where the result is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store<'a> {
    pub(super) key: &'a [u8],
    /// Whether scores are distances.
    pub(super) by_distance: bool,
}

/// A search.
pub(super) struct Asked<'a> {
    /// `None` where there is no index, so that its members have no places.
    pub(super) middle: Option<Position>,
    pub(super) shape: Shape,
    pub(super) unit: Unit,
    pub(super) with_distance: bool,
    pub(super) with_score: bool,
    pub(super) with_position: bool,
    /// Not more than so many; 0 means all.
    pub(super) count: usize,
    /// Whether the first that are found will do.
    pub(super) any: bool,
    pub(super) order: Option<Order>,
    /// Where GEORADIUS keeps its result.
    pub(super) store: Option<Store<'a>>,
    /// Whether GEOSEARCHSTORE keeps distances.
    pub(super) by_distance: bool,
}

impl<'a> Asked<'a> {
    /// A search in an area.
    pub(super) fn new(middle: Option<Position>, shape: Shape, unit: Unit) -> Self {
        Self {
            middle,
            shape,
            unit,
            with_distance: false,
            with_score: false,
            with_position: false,
            count: 0,
            any: false,
            order: None,
            store: None,
            by_distance: false,
        }
    }

    /// Reads the options of a command that has its area before them.
    pub(super) fn with_options(
        mut self,
        mut cursor: Cursor<'a>,
        form: Form,
    ) -> Result<Self, ReplyError> {
        while !cursor.is_done() {
            if !self.take(&mut cursor, form)? {
                return Err(ReplyError::Syntax);
            }
        }
        self.checked(form)
    }

    /// Reads the options of GEOSEARCH and GEOSEARCHSTORE. `command` is its name as the client
    /// wrote it.
    pub(super) fn parse(
        mut cursor: Cursor<'a>,
        form: Form,
        command: &[u8],
        zset: Option<&Zset>,
    ) -> Result<Self, ReplyError> {
        let nowhere = Shape::Circle { radius_m: 0.0 };
        let mut asked = Self::new(None, nowhere, Unit::METRE);
        // Each may come again, and then counts instead, but not one for the other.
        let (mut from_member, mut from_position) = (false, false);
        let (mut by_circle, mut by_rectangle) = (false, false);
        while !cursor.is_done() {
            if asked.take(&mut cursor, form)? {
            } else if cursor.left() > 1 && !from_position && cursor.take("frommember") {
                asked.middle = area::member(&mut cursor, zset)?;
                from_member = true;
            } else if cursor.left() > 2 && !from_member && cursor.take("fromlonlat") {
                asked.middle = Some(area::position(&mut cursor)?);
                from_position = true;
            } else if cursor.left() > 2 && !by_rectangle && cursor.take("byradius") {
                (asked.shape, asked.unit) = area::circle(&mut cursor)?;
                by_circle = true;
            } else if cursor.left() > 3 && !by_circle && cursor.take("bybox") {
                (asked.shape, asked.unit) = area::rectangle(&mut cursor)?;
                by_rectangle = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        let asked = asked.check_store(form)?;
        let one_of = |words: &str| {
            let command = String::from_utf8_lossy(command);
            let text = format!("exactly one of {words} can be specified for {command}");
            Err(ReplyError::Generic(text.into()))
        };
        if !from_member && !from_position {
            return one_of("FROMMEMBER or FROMLONLAT");
        }
        if !by_circle && !by_rectangle {
            return one_of("BYRADIUS and BYBOX");
        }
        asked.check_any()
    }

    /// Reads one option that all commands have, or some of them; whether it was one.
    fn take(&mut self, cursor: &mut Cursor<'a>, form: Form) -> Result<bool, ReplyError> {
        if cursor.take("withdist") {
            self.with_distance = true;
        } else if cursor.take("withhash") {
            self.with_score = true;
        } else if cursor.take("withcoord") {
            self.with_position = true;
        } else if cursor.take("any") {
            self.any = true;
        } else if cursor.take("asc") {
            self.order = Some(Order::Nearest);
        } else if cursor.take("desc") {
            self.order = Some(Order::Farthest);
        } else if cursor.left() > 1 && cursor.take("count") {
            let count = cursor.need_i64()?;
            self.count = usize::try_from(count)
                .ok()
                .filter(|count| *count > 0)
                .ok_or(ReplyError::text("COUNT must be > 0"))?;
        } else if form == Form::Radius && cursor.left() > 1 && cursor.take("store") {
            self.store = Some(Store { key: cursor.need()?, by_distance: false });
        } else if form == Form::Radius && cursor.left() > 1 && cursor.take("storedist") {
            self.store = Some(Store { key: cursor.need()?, by_distance: true });
        } else if form == Form::SearchStore && cursor.take("storedist") {
            self.by_distance = true;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn checked(self, form: Form) -> Result<Self, ReplyError> {
        self.check_store(form)?.check_any()
    }

    /// Refuses details of members that are not shown.
    fn check_store(self, form: Form) -> Result<Self, ReplyError> {
        let is_kept = form == Form::SearchStore || self.store.is_some();
        if is_kept && (self.with_distance || self.with_score || self.with_position) {
            return Err(ReplyError::text(match form {
                Form::Radius | Form::RadiusReadOnly => {
                    "STORE option in GEORADIUS is not compatible with \
                     WITHDIST, WITHHASH and WITHCOORD options"
                }
                Form::Search | Form::SearchStore => {
                    "GEOSEARCHSTORE is not compatible with \
                     WITHDIST, WITHHASH and WITHCOORD options"
                }
            }));
        }
        Ok(self)
    }

    fn check_any(self) -> Result<Self, ReplyError> {
        if self.any && self.count == 0 {
            return Err(ReplyError::text("the ANY argument requires COUNT argument"));
        }
        Ok(self)
    }
}
