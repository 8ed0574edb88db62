//! What the codes of findings mean, in the words of those who fill in tables: a code alone tells them nothing.
//!
//! Codes that only one pipeline has (rules of its own) are not here: the receipt shows an example in their place.

use super::Language;

/// Code, its meaning in Chinese and in English.
const MEANINGS: [(&str, &str, &str); 76] = [
    ("V01", "必填内容没有填", "something that is needed is not filled in"),
    ("V02", "项目代码有误", "project codes are wrong"),
    ("V03", "项目代码中的区划或年月对不上", "region or month within a project code do not fit"),
    ("V04", "统一社会信用代码有误", "credit codes are wrong"),
    ("V05", "所属板块、区划认不出或已停用", "places are not known or abolished"),
    ("V06", "行业代码认不出或受限", "industries are not known or limited"),
    (
        "V07",
        "金额或数字看不懂、为负或单位可疑",
        "amounts or numbers cannot be read, are negative or in a doubtful unit",
    ),
    ("V08", "计划、年度与累计投资对不上", "planned, yearly and cumulative investment do not fit"),
    ("V09", "分项之和与合计对不上", "parts do not add up"),
    ("V10", "完成率与重新计算的不符", "a rate is not what it is when computed again"),
    ("V11", "日期看不懂、先后颠倒或在今天之后", "days cannot be read, are out of order or in the future"),
    ("V12", "节点缺时间或佐证", "milestones lack their day or evidence"),
    ("V13", "缺佐证材料或材料不合要求", "evidence is missing or not what is asked for"),
    ("V14", "月报缺报、迟报或一直不变", "months are missing, late or always the same"),
    ("V15", "合计、个数或序号与各行对不上", "totals, counts or serial numbers do not fit the rows"),
    ("V16", "项目重复或已经报过", "projects come twice or were sent before"),
    (
        "V17",
        "上次有、这次没有的项目，或不在名单上",
        "projects are missing that were there, or not on the list",
    ),
    ("V18", "低于入库标准、被否决或缺评审内容", "below the threshold, vetoed or not fully reviewed"),
    ("V19", "承诺不符合受理条件", "commitments cannot be accepted"),
    ("V20", "承诺逾期", "commitments are overdue"),
    ("V21", "许可阶段跳过、不一致或已失效", "permits are skipped, differ or have lapsed"),
    ("V22", "投资、形象进度与工程量不一致", "money, progress and works do not fit"),
    ("V23", "未开工已有投资", "investment before the start"),
    ("V24", "列名没有认出、不够明确或重复", "columns are not known, unclear or come twice"),
    ("V25", "不该填的列里有手机号或身份证号", "phone or identity numbers where none belong"),
    ("V26", "文件打不开或内容不完整", "the file cannot be opened or is not whole"),
    ("apart", "与已有项目相像，按不同项目处理", "like a stored project, taken as another"),
    ("cell-format", "看不出数字的显示方式", "how numbers are shown cannot be seen"),
    ("code-destroyed", "代码、证号被表格软件改坏", "codes were destroyed by a spreadsheet program"),
    ("commitment-date", "承诺的日期有误", "days of commitments are wrong"),
    ("commitment-due-soon", "承诺即将到期", "commitments are due soon"),
    ("commitment-open", "承诺尚未兑现", "commitments are open"),
    ("commitment-unchanged", "承诺没有变化", "commitments are unchanged"),
    ("commitment-unknown", "尚未收到的承诺", "commitments that have not come yet"),
    ("conflict", "与已有记录的关键内容冲突", "in conflict with a stored record"),
    ("conflict-value", "与其他部门报的值不同", "a value differs from what others sent"),
    ("cut-off", "文件没有传完", "the file is cut off"),
    ("ditto", "“同上”已换成上一行的内容", "ditto marks were filled in from above"),
    ("duplicate", "文件内有重复的行", "rows come twice in the file"),
    ("encoding", "文字编码", "how the text is encoded"),
    ("evidence-links", "链接形式的佐证没有读取", "evidence given as a link was not read"),
    (
        "evidence-missing",
        "表中写明的佐证材料没有附上",
        "evidence that is named did not come with the package",
    ),
    ("evidence-type", "佐证材料的内容与文件名不符", "evidence is of another kind than its name says"),
    ("evidence-unreferenced", "附件没有对应的行", "attachments that no row names"),
    ("formula", "公式没有计算结果", "formulas without a result"),
    ("formula-error", "公式出错（如 #REF!）", "formulas in error, such as #REF!"),
    ("hidden", "有隐藏的行、列或工作表", "there are hidden rows, columns or sheets"),
    ("json", "JSON 内容有误", "JSON that is not right"),
    ("land-start", "用地与开工时间对不上", "land and the day of the start do not fit"),
    ("left-out", "有的行没有采用", "rows were left out"),
    ("linked", "已与已有项目对应", "linked to a stored project"),
    ("lost-text", "单元格的文字已丢失", "texts of cells are lost"),
    ("merged", "合并到同一项目的行", "rows that went into one project"),
    ("merged-cells", "合并单元格", "merged cells"),
    ("missing", "缺少判断所需的内容", "what a check needs is missing"),
    ("name-only", "只有名称、没有其他内容的行", "rows with a name and nothing else"),
    ("no-key", "没有项目代码等可识别项目的内容", "nothing that tells which project it is"),
    ("no-matter", "没有认出事项", "no matter was recognised"),
    ("outline", "表格的位置和结构", "where the table stands and how it is built"),
    ("package", "压缩包的内容", "what is in the package"),
    ("placeholder", "“无”“待定”等按没有填写处理", "words such as “none” were taken as not filled in"),
    ("plan", "填的是计划时间", "a plan in place of a day"),
    ("quotes", "引号里像是表格的行", "quotes that hold what looks like rows"),
    ("repair", "已修复的格式问题", "faults of form that were repaired"),
    ("review", "可能重复，需要人工核对", "may be a duplicate; a person has to look"),
    ("second-table", "同一工作表还有另一张表没有读取", "a second table of the sheet was not read"),
    ("sheet", "有工作表没有读取", "sheets that were not read"),
    ("skipped", "合计、小计等行不作为数据", "rows of totals and notes are no data"),
    ("stage-failed", "系统处理时出错", "the system failed"),
    ("type", "内容的类型不对", "a value of the wrong type"),
    ("unchanged", "与已有记录完全相同", "the same as a stored record"),
    ("unchecked", "缺少内容，有的检查没有做", "checks that could not be made"),
    ("unit", "数据行之间写了另一种单位", "another unit among the rows"),
    ("unreadable", "看不懂的值", "values that cannot be read"),
    ("width", "格数与表头不符", "rows with more or fewer cells than the header"),
    ("xml", "XML 内容有误", "XML that is not right"),
];

/// What a code means, if it is one that the product itself gives.
pub(super) fn meaning(code: &str, language: Language) -> Option<&'static str> {
    let (_, zh, en) = MEANINGS.iter().find(|(of, ..)| *of == code)?;
    Some(language.pick(zh, en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_meaning_in_both_languages() {
        assert!(MEANINGS.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each once");
        for (code, zh, en) in MEANINGS {
            assert!(!zh.is_ascii() && !en.is_empty(), "{code}");
        }
        assert_eq!(meaning("no-key", Language::En), Some("nothing that tells which project it is"));
        assert_eq!(meaning("own-rule", Language::Zh), None);
    }
}
