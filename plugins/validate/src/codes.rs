//! Credit codes and project codes in columns: judged, repaired, told.
//!
//! The repaired code goes out and an info finding keeps what was sent. A code that is refused goes out
//! as sent. A placeholder (`暂无`) becomes a missing value, which then `required` judges. A missing value
//! itself is passed over.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use huiliu_stage::{Findings, Problem, Text, column_index};

use crate::options::Options;
use crate::project_code::{self, Grade as CodeGrade};
use crate::tell::{Kind, Note};
use crate::uscc::{self, Grade as UsccGrade};

/// A check of the codes in one column.
pub(crate) struct Codes {
    column: usize,
    check: Check,
    /// By kind; a kind that is absent is switched off.
    notes: Vec<(Kind, Note)>,
    title: String,
}

enum Check {
    Uscc { allow: HashSet<String> },
    ProjectCode { suffix: Option<String> },
}

/// What goes out for a text.
enum Out {
    AsSent,
    Repaired(String),
    Missing,
}

/// What a check makes of a column.
pub(crate) struct Judged {
    /// The column with repaired codes, if any was repaired.
    pub(crate) column: Option<ArrayRef>,
    /// The new column of suffixes, if there is to be one.
    pub(crate) suffixes: Option<ArrayRef>,
}

const USCC: [Kind; 6] = [
    Kind::UsccMalformed,
    Kind::UsccDestroyed,
    Kind::UsccWrong,
    Kind::UsccDoubtful,
    Kind::UsccRepaired,
    Kind::UsccPlaceholder,
];

const PROJECT_CODE: [Kind; 7] = [
    Kind::ProjectCodeMalformed,
    Kind::ProjectCodeDestroyed,
    Kind::ProjectCodeCheck,
    Kind::ProjectCodeOld,
    Kind::ProjectCodeRepaired,
    Kind::ProjectCodeSuffix,
    Kind::ProjectCodePlaceholder,
];

impl Codes {
    /// The checks that the options ask for, and what is wrong with them.
    pub(crate) fn of(schema: &Schema, options: &Options, problems: &mut Vec<Problem>) -> Vec<Self> {
        let uscc = options.checks.uscc.iter().map(|check| {
            let allow = check.allow.iter().map(|code| uscc::check(code).code.into_owned()).collect();
            (&check.field, Check::Uscc { allow }, "uscc", &USCC[..])
        });
        let project = options.checks.project_code.iter().map(|check| {
            let suffix = check.suffix.clone();
            (&check.field, Check::ProjectCode { suffix }, "project_code", &PROJECT_CODE[..])
        });
        let mut all: Vec<Self> = Vec::new();
        let mut index = 0;
        let mut before = "";
        for (field, check, word, kinds) in uscc.chain(project) {
            index = if word == before { index + 1 } else { 0 };
            before = word;
            let path = format!("checks.{word}[{index}]");
            let mut problem = |message: String| problems.push(Problem { path: path.clone(), message });
            let column = match column_index(schema, field) {
                Ok(column) => column,
                Err(error) => {
                    problem(error.to_string());
                    continue;
                }
            };
            let arrow = schema.field(column);
            if arrow.data_type() != &DataType::Utf8 {
                problem(format!("codes are texts, column `{field}` is {}", arrow.data_type()));
                continue;
            }
            if all.iter().any(|other| other.column == column) {
                problem(format!("field `{field}` has a check already"));
                continue;
            }
            if let Check::ProjectCode { suffix: Some(suffix) } = &check
                && (schema.index_of(suffix).is_ok() || all.iter().any(|c| c.suffix() == Some(suffix)))
            {
                problem(format!("there is a column `{suffix}` already; give `suffix` another name"));
            }
            let note = |&kind: &Kind| Note::new(options, arrow, kind).map(|note| (kind, note));
            let title = crate::tell::title(arrow);
            all.push(Self { column, check, notes: kinds.iter().filter_map(note).collect(), title });
        }
        all
    }

    /// The column that is judged.
    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// The name of the column of suffixes, if there is to be one.
    pub(crate) fn suffix(&self) -> Option<&String> {
        match &self.check {
            Check::ProjectCode { suffix } => suffix.as_ref(),
            Check::Uscc { .. } => None,
        }
    }

    /// The column of suffixes in the schema.
    pub(crate) fn suffix_field(&self) -> Option<ArrowField> {
        self.suffix().map(|name| ArrowField::new(name, DataType::Utf8, true))
    }

    /// Adds what is wrong with the column's codes, and repairs them.
    pub(crate) fn judge(&self, batch: &RecordBatch, rows: &[i64], findings: &mut Findings) -> Judged {
        let texts = batch.column(self.column).as_string::<i32>();
        let mut repaired: Option<StringBuilder> = None;
        let mut suffixes: Vec<(usize, String)> = Vec::new();
        for (at, &row) in rows.iter().enumerate() {
            let text = texts.value(at);
            let out = match &self.check {
                _ if text.is_empty() || texts.is_null(at) => Out::AsSent,
                Check::Uscc { allow } => self.uscc(text, allow, row, findings),
                Check::ProjectCode { .. } => {
                    let (out, suffix) = self.project_code(text, row, findings);
                    suffixes.extend(suffix.map(|suffix| (at, suffix)));
                    out
                }
            };
            if repaired.is_none() && !matches!(out, Out::AsSent) {
                repaired = Some(started(texts, at));
            }
            if let Some(column) = &mut repaired {
                match out {
                    Out::AsSent => column.append_option(texts.is_valid(at).then_some(text)),
                    Out::Repaired(code) => column.append_value(code),
                    Out::Missing => column.append_null(),
                }
            }
        }
        Judged {
            column: repaired.map(|mut column| Arc::new(column.finish()) as ArrayRef),
            suffixes: self.suffix().map(|_| scattered(&suffixes, texts.len())),
        }
    }

    fn tell(
        &self,
        kind: Kind,
        row: i64,
        value: &str,
        text: impl FnOnce(&str) -> Text,
        findings: &mut Findings,
    ) {
        if let Some((_, note)) = self.notes.iter().find(|(of, _)| *of == kind) {
            findings.push(note.about_value(row, value, text(&self.title)));
        }
    }

    fn uscc(&self, sent: &str, allow: &HashSet<String>, row: i64, findings: &mut Findings) -> Out {
        let verdict = uscc::check(sent);
        let repaired = *verdict.code != *sent;
        let allowed = verdict.grade != UsccGrade::Valid && allow.contains(&*verdict.code);
        if verdict.grade == UsccGrade::Valid || allowed {
            if !repaired {
                return Out::AsSent;
            }
            self.tell(Kind::UsccRepaired, row, sent, |t| repaired_text(t, &verdict.code), findings);
            return Out::Repaired(verdict.code.into_owned());
        }
        let kind = match verdict.grade {
            UsccGrade::BothFail { .. } => Kind::UsccWrong,
            UsccGrade::LastFails { .. } | UsccGrade::InnerFails => Kind::UsccDoubtful,
            UsccGrade::Destroyed => Kind::UsccDestroyed,
            UsccGrade::Placeholder => Kind::UsccPlaceholder,
            _ => Kind::UsccMalformed,
        };
        self.tell(kind, row, sent, |title| uscc_text(title, &verdict.grade), findings);
        match kind {
            Kind::UsccPlaceholder => Out::Missing,
            Kind::UsccDoubtful if repaired => Out::Repaired(verdict.code.into_owned()),
            _ => Out::AsSent,
        }
    }

    fn project_code(&self, sent: &str, row: i64, findings: &mut Findings) -> (Out, Option<String>) {
        let verdict = project_code::check(sent);
        let code = &*verdict.code;
        let kind = match verdict.grade {
            CodeGrade::Valid => None,
            CodeGrade::Old => Some(Kind::ProjectCodeOld),
            CodeGrade::CheckFails { .. } => Some(Kind::ProjectCodeCheck),
            CodeGrade::Destroyed => Some(Kind::ProjectCodeDestroyed),
            CodeGrade::Placeholder => Some(Kind::ProjectCodePlaceholder),
            _ => Some(Kind::ProjectCodeMalformed),
        };
        if let Some(kind) = kind {
            self.tell(kind, row, sent, |title| project_code_text(title, verdict.grade), findings);
        }
        let good = matches!(verdict.grade, CodeGrade::Valid | CodeGrade::Old | CodeGrade::CheckFails { .. });
        if verdict.grade == CodeGrade::Placeholder {
            return (Out::Missing, None);
        }
        if !good || code == sent {
            return (Out::AsSent, None);
        }
        match &verdict.suffix {
            None => self.tell(Kind::ProjectCodeRepaired, row, sent, |t| repaired_text(t, code), findings),
            Some(suffix) => {
                let text = |t: &str| {
                    Text::new(
                        format!("{t}的后缀“-{suffix}”已与代码分开，代码按“{code}”处理"),
                        format!("the suffix `-{suffix}` of {t} was set apart; the code is taken as `{code}`"),
                    )
                };
                self.tell(Kind::ProjectCodeSuffix, row, sent, text, findings);
            }
        }
        (Out::Repaired(verdict.code.into_owned()), verdict.suffix)
    }
}

/// A builder that holds the texts before `end`.
fn started(texts: &StringArray, end: usize) -> StringBuilder {
    let mut column = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
    for text in texts.iter().take(end) {
        column.append_option(text);
    }
    column
}

/// A column of `len` that is null but for the texts given, which stand in row order.
fn scattered(texts: &[(usize, String)], len: usize) -> ArrayRef {
    let mut column = StringBuilder::with_capacity(len, texts.len() * 3);
    for (at, text) in texts {
        column.append_nulls(at.saturating_sub(column_len(&column)));
        column.append_value(text);
    }
    column.append_nulls(len.saturating_sub(column_len(&column)));
    Arc::new(column.finish())
}

fn column_len(column: &StringBuilder) -> usize {
    column.offsets_slice().len().saturating_sub(1)
}

fn repaired_text(title: &str, code: &str) -> Text {
    Text::new(
        format!("{title}的写法已规范为“{code}”"),
        format!("{title} was brought into its usual form, `{code}`"),
    )
}

fn uscc_text(title: &str, grade: &UsccGrade) -> Text {
    match grade {
        UsccGrade::BothFail { expected } => Text::new(
            format!("{title}校验不通过（末位按规则应为“{expected}”），请对照营业执照更正"),
            format!(
                "{title} fails both checks (by the rule its last character is `{expected}`); correct it from the licence"
            ),
        ),
        UsccGrade::LastFails { expected } => Text::new(
            format!(
                "{title}的末位校验不符（按规则应为“{expected}”）；早期试点代码可能如此，请对照营业执照核对"
            ),
            format!(
                "the last character of {title} should be `{expected}` by the rule; codes of early pilot areas may differ, please compare it with the licence"
            ),
        ),
        UsccGrade::InnerFails => Text::new(
            format!("{title}中第9至17位（组织机构代码）校验不符，请对照营业执照核对"),
            format!(
                "characters 9 to 17 of {title} (organisation code) fail their check; please compare it with the licence"
            ),
        ),
        UsccGrade::Length(15) => Text::new(
            format!("{title}应为18位；15位的是旧的工商注册号，请填写营业执照上的统一社会信用代码"),
            format!(
                "{title} has 18 characters; this is an old registration number of 15: fill in the unified social credit code"
            ),
        ),
        UsccGrade::Length(found) => Text::new(
            format!("{title}应为18位，现为{found}位，请补正"),
            format!("{title} has 18 characters, this has {found}; please correct it"),
        ),
        UsccGrade::Character { found, suggestion: Some(code) } => Text::new(
            format!("{title}中不应有“{found}”，是否应为“{code}”？请核对后更正"),
            format!("{title} cannot hold `{found}`; is it `{code}`? please check and correct it"),
        ),
        UsccGrade::Character { found, suggestion: None } => Text::new(
            format!("{title}中不应有“{found}”，应为18位数字和大写字母（不含I、O、S、V、Z），请更正"),
            format!(
                "{title} cannot hold `{found}`; it is 18 digits and capital letters without I, O, S, V, Z"
            ),
        ),
        UsccGrade::Destroyed => Text::new(
            format!(
                "{title}被电子表格当作数字，末尾几位已丢失、无法恢复；请把单元格设为“文本”格式后重新填写"
            ),
            format!(
                "a spreadsheet took {title} for a number and lost its last digits; set the cell to text and fill it in again"
            ),
        ),
        UsccGrade::Placeholder | UsccGrade::Valid => placeholder_text(title),
    }
}

fn project_code_text(title: &str, grade: CodeGrade) -> Text {
    match grade {
        CodeGrade::Old => Text::new(
            format!("{title}为2020年及以前的旧格式（无校验位），如已换发新代码请更新"),
            format!(
                "{title} has the form of 2015 to 2020, which has no check digit; update it if a new one was given"
            ),
        ),
        CodeGrade::CheckFails { expected } => Text::new(
            format!("{title}的校验位不符（末位按规则应为“{expected}”），请对照备案证或批文核对"),
            format!("the check digit of {title} should be `{expected}`; please compare it with the approval"),
        ),
        CodeGrade::Province => Text::new(
            format!("{title}第5、6位不是任何省份的代码，请对照备案证或批文更正"),
            format!("digits 5 and 6 of {title} are no province; correct it from the approval"),
        ),
        CodeGrade::Time => Text::new(
            format!("{title}的前4位应为年月（如2509）或2015至2020的年份，请对照备案证或批文更正"),
            format!(
                "the first four digits of {title} are year and month (2509) or a year from 2015 to 2020; correct it from the approval"
            ),
        ),
        CodeGrade::Digits(found) if found > 23 => Text::new(
            format!("{title}应为20位数字，现为{found}位；一个单元格只能填一个代码，请拆分或更正"),
            format!(
                "{title} has 20 digits, this has {found}; a cell holds one code, please split or correct it"
            ),
        ),
        CodeGrade::Digits(found) => Text::new(
            format!("{title}应为20位数字（格式 2509-320412-89-01-123456），现为{found}位，请补正"),
            format!("{title} has 20 digits (2509-320412-89-01-123456), this has {found}; please correct it"),
        ),
        CodeGrade::Character(found) => Text::new(
            format!("{title}中不应有“{found}”，应为20位数字（格式 2509-320412-89-01-123456），请更正"),
            format!("{title} cannot hold `{found}`; it has 20 digits (2509-320412-89-01-123456)"),
        ),
        CodeGrade::Destroyed => Text::new(
            format!(
                "{title}被电子表格当作数字，末尾几位已丢失、无法恢复；请把单元格设为“文本”格式后重新填写"
            ),
            format!(
                "a spreadsheet took {title} for a number and lost its last digits; set the cell to text and fill it in again"
            ),
        ),
        CodeGrade::Placeholder | CodeGrade::Valid => placeholder_text(title),
    }
}

fn placeholder_text(title: &str) -> Text {
    Text::new(
        format!("{title}暂无，按未填写处理；取得后请补报"),
        format!("there is no {title} yet; it is taken as missing, send it once it is there"),
    )
}
