//! How findings are told: their code, severity and message, which the options may change.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use huiliu_stage::json::write_value;
use huiliu_stage::{Field, Finding, Problem, Severity, Text};

use crate::catalogue;
use crate::options::Options;

macro_rules! kinds {
    ($($kind:ident $name:literal $code:literal $severity:ident,)*) => {
        /// The kinds of findings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($kind,)* }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The word by which options name it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)* }
            }
        }
    };
}

kinds! {
    Required "required" "required" Error,
    Min "min" "min" Error,
    Max "max" "max" Error,
    MinLength "min_length" "min_length" Error,
    MaxLength "max_length" "max_length" Error,
    Pattern "pattern" "pattern" Error,
    Enum "enum" "enum" Error,
    Unchecked "unchecked" "unchecked" Info,
    UsccMalformed "uscc_malformed" "V04" Error,
    UsccDestroyed "uscc_destroyed" "V04" Error,
    UsccWrong "uscc_wrong" "V04" Error,
    UsccDoubtful "uscc_doubtful" "V04" Warning,
    UsccRepaired "uscc_repaired" "V04" Info,
    UsccPlaceholder "uscc_placeholder" "V04" Info,
    ProjectCodeMalformed "project_code_malformed" "V02" Error,
    ProjectCodeDestroyed "project_code_destroyed" "V02" Error,
    ProjectCodeCheck "project_code_check" "V02" Warning,
    ProjectCodeOld "project_code_old" "V02" Info,
    ProjectCodeRepaired "project_code_repaired" "V02" Info,
    ProjectCodeSuffix "project_code_suffix" "V02" Info,
    ProjectCodePlaceholder "project_code_placeholder" "V02" Info,
    Content "content" "V01" Error,
    DivisionUnknown "division_unknown" "V05" Warning,
    DivisionAbolished "division_abolished" "V05" Info,
    IndustryUnknown "industry_unknown" "V06" Warning,
    IndustryAmbiguous "industry_ambiguous" "V06" Warning,
    IndustryBanned "industry_banned" "V06" Error,
    Future "future" "V11" Error,
    EvidenceType "evidence_type" "V13" Error,
    PhotoDate "photo_date" "V13" Warning,
    Level "level_list" "V17" Warning,
    PermitLapsed "permit_lapsed" "V21" Warning,
    Personal "personal" "V25" Warning,
}

impl Kind {
    /// Whether a bare field name as a key means this kind too. What is missing is another matter than
    /// what is wrong.
    fn goes_with_the_field(self) -> bool {
        !matches!(self, Self::Required | Self::Unchecked)
    }

    /// The code by which findings of this kind about a field usually go. Who asks for the catalogue counts by it.
    fn code_for(self, options: &Options, field: &ArrowField) -> &'static str {
        let money = matches!(field.data_type(), DataType::Decimal128(..));
        match self {
            Self::Required if options.catalogue.is_some() => "V01",
            Self::Min if options.catalogue.is_some() && money => "V07",
            _ => self.code(),
        }
    }
}

/// How findings of one kind about one field are told.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) field: String,
    pub(crate) title: String,
    /// A value that is personal is not repeated.
    pub(crate) personal: bool,
    code: String,
    severity: Severity,
    message: Option<Text>,
}

impl Note {
    /// `None` when such findings are switched off.
    pub(crate) fn new(options: &Options, field: &ArrowField, kind: Kind) -> Option<Self> {
        let name = field.name();
        let (close, far) = (format!("{name}.{}", kind.name()), kind.name());
        let bare = kind.goes_with_the_field();
        // A word about a field's faults is not meant for what was merely repaired or noted.
        let fault = bare && kind.severity() != Severity::Info;
        let level = options.severity.get(&close);
        let level = level.or_else(|| options.severity.get(name).filter(|l| fault || (bare && l.0.is_none())));
        let level = level.or_else(|| options.severity.get(far));
        let usual = kind.code_for(options, field);
        let level = level.or_else(|| options.severity.get(usual));
        let severity = level.map_or(Some(kind.severity()), |level| level.0)?;
        let code = options.codes.get(&close);
        let code = code.or_else(|| options.codes.get(name).filter(|_| bare));
        let described = Field::of(field);
        // The record schema may name the code under which a field's faults are counted.
        let of_schema = described.as_ref().and_then(|d| d.code.as_ref()).filter(|_| fault);
        let code = code.or(of_schema).or_else(|| options.codes.get(far));
        let message = options.messages.get(&close);
        let message = message.or_else(|| options.messages.get(name).filter(|_| fault));
        let message = message.or_else(|| options.messages.get(far)).cloned();
        Some(Self {
            title: title(field),
            personal: described.as_ref().is_some_and(|d| d.personal),
            code: code.map_or(usual, |code| code).to_owned(),
            severity,
            message,
            field: name.clone(),
        })
    }

    /// A finding about a cell that holds nothing.
    pub(crate) fn about(&self, row: i64, text: Text) -> Finding {
        let text = self.message.clone().unwrap_or(text);
        Finding::new(Some(row), self.severity, &*self.code, text).with_field(&*self.field)
    }

    /// A finding about a cell that holds `value`, which is added to the message.
    pub(crate) fn about_value(&self, row: i64, value: &str, text: Text) -> Finding {
        if self.personal {
            return self.about(row, text);
        }
        let mut finding = self.about(row, text).with_raw(shortened(value, 200));
        let value = shortened(value, 40);
        finding.message.zh.push_str(&format!("（填写的是“{value}”）"));
        if !finding.message.en.is_empty() {
            finding.message.en.push_str(&format!(" (found `{value}`)"));
        }
        finding
    }
}

/// What people call a column.
pub(crate) fn title(field: &ArrowField) -> String {
    Field::of(field).map_or_else(|| field.name().clone(), |d| d.title().to_owned())
}

/// The first `most` characters of a text.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The value of a cell as people write it; empty when there is none.
pub(crate) fn shown(batch: &RecordBatch, column: usize, row: usize) -> String {
    let array = batch.column(column);
    match array.as_string_opt::<i32>() {
        _ if array.is_null(row) => String::new(),
        Some(texts) => texts.value(row).to_owned(),
        None => {
            let mut text = String::new();
            write_value(&mut text, array, row, false);
            text.trim_matches('"').to_owned()
        }
    }
}

/// Keys of `codes`, `severity` and `messages` that mean nothing.
pub(crate) fn unknown_keys(options: &Options, schema: &Schema) -> Vec<Problem> {
    let is_kind = |word: &str| Kind::ALL.iter().any(|kind| kind.name() == word);
    let is_field = |word: &str| schema.index_of(word).is_ok();
    let is_known = |key: &str| match key.split_once('.') {
        Some((field, kind)) => is_field(field) && is_kind(kind),
        None => is_kind(key) || is_field(key),
    };
    let keys = |map: &'static str, keys: Vec<&String>| {
        let unknown = keys.into_iter().filter(|key| !is_known(key));
        unknown
            .map(|key| Problem {
                path: format!("{map}.{key}"),
                message: format!(
                    "`{key}` is neither a field, nor `field.kind`, nor a kind of finding; the kinds are: {}",
                    Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
                ),
            })
            .collect::<Vec<_>>()
    };
    let mut all = keys("codes", options.codes.keys().collect());
    let of_catalogue = |key: &&String| options.catalogue.is_some() && catalogue::is_rule(key);
    all.extend(keys("severity", options.severity.keys().filter(|key| !of_catalogue(key)).collect()));
    all.extend(keys("messages", options.messages.keys().collect()));
    all
}
