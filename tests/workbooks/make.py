#!/usr/bin/env python3
"""Makes the workbooks of this folder: each has the mess of another kind that departments' spreadsheets come with.

    pip install openpyxl xlwt odfpy     # tested with 3.1.5, 1.3.0, 1.4.1
    python3 make.py [NAME...]           # rewrites the workbooks, or only these; the same bytes every time

They are made by three programs' libraries and not by our own, so that the reader meets files of strangers. What must come
of NAME.xlsx stands in NAME.table.csv and NAME.told.txt, see tests/README.md. All names, companies, codes and amounts are made up.
"""

import datetime
import io
import re
import sys
import zipfile
from pathlib import Path

import xlwt
from odf import opendocument, style, table, text
from odf import number as odf_number
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

HERE = Path(__file__).parent
WRITTEN = datetime.datetime(2026, 5, 6, 9, 30)
CASES = {}


def case(made):
    """A case is a function that gives a workbook; the ending of its file is that of its library."""
    CASES[made.__name__] = made
    return made


def fill(sheet, rows, merges=(), formats=()):
    """Writes rows (None leaves a cell out), merges ranges and gives ranges a number format."""
    for r, row in enumerate(rows, 1):
        for c, value in enumerate(row, 1):
            if value is not None:
                sheet.cell(r, c, value)
    for cells in merges:
        sheet.merge_cells(cells)
    for cells, shown in formats:
        for row in sheet[cells if ":" in cells else f"{cells}:{cells}"]:
            for cell in row:
                cell.number_format = shown
    return sheet


def book(title="Sheet1"):
    made = Workbook()
    made.active.title = title
    return made, made.active


# -- above and below the table ------------------------------------------------------------------

@case
def titles_and_footers():
    """Title, 填报单位 and 单位 rows above a header of two merged rows; notes, footers and a signature below."""
    made, sheet = book("4月进展")
    fill(sheet, [
        ["武进区2026年4月重点项目进展情况表(共3个)"],
        ["填报单位：示例高新区", None, None, None, None, None, None, "单位：万元", None],
        ["序号", "项目名称", "建设单位", "总投资\n(亿元)", "1-4月完成投资情况", None, None, "时间节点", None],
        [None, None, None, None, "本月完成", "年度累计完成", "完成率", "开工时间", "计划竣工\n时间"],
        [1, "示例精密制造项目", "示例精密有限公司", 12.5, 4200, 10740, 0.358, datetime.date(2025, 3, 1), "2027年底"],
        [2, "示例生物医药产业园\n（一期）", "示例生物有限公司 ", 3, 0, "/", None, "待定", "2027.10"],
        [3, "示例检测中心", "示例检测有限公司", "5124.37万元", "１２００", "约3,500", 0.5, "2025年9月", "2026上半年"],
        ["合计", None, None, 16.012437, 5400, 14240, None, None, None],
        ["注：1.总投资以备案证为准；2.完成率=年度累计完成/年度计划。"],
        ["2.本表于每月5日前报送。"],
        ["填报人：张某", None, "审核人：李某", None, "联系电话：0519-80000000", None, None, "填报日期：2026年5月5日"],
    ], merges=["A1:I1", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:G3", "H3:I3", "A9:I9"],
       formats=[("G5:G7", "0.0%"), ("H5", "yyyy-mm-dd")])
    return made


@case
def three_header_rows():
    """A header of three merged rows with a row of units and one of column numbers; a hidden row and a hidden column."""
    made, sheet = book("台账")
    fill(sheet, [
        ["项目基本情况", None, None, "投资情况", None, None, None, "前期手续", None],
        ["项目名称", "建设地点", "建设\n性质", "总投资", "2026年", None, None, "用地", None],
        [None, None, None, None, "年度计划投资", "完成投资", None, "用地面积", "拿地时间"],
        [None, None, None, "(亿元)", "(万元)", "本月完成(万元)", "年度累计完成(万元)", "(公顷)", None],
        ["甲", "乙", "丙", 1, 2, 3, 4, 5, 6],
        ["示例甲项目", "湖塘镇", "新建", 1.2, 3000, 200, 900, 2, "2025-06-30"],
        ["示例乙项目", "雪堰镇", "续建", 0.8, 2000, 100, 500, 1.5, "2024.11"],
        ["示例丙项目", "洛阳镇", "技改", 2, 4000, 0, 0, None, None],
    ], merges=["A1:C1", "D1:G1", "H1:I1", "A2:A4", "B2:B4", "C2:C4", "D2:D3", "E2:G2", "E3:E3", "F3:G3", "H2:I2", "I3:I4"])
    sheet.row_dimensions[7].hidden = True
    sheet.column_dimensions["B"].hidden = True
    return made


# -- rows that are no projects ------------------------------------------------------------------

@case
def groups_and_totals():
    """Titles of groups in two levels with the counts they declare, subtotals, a total that is off, a number left out."""
    made = xlwt.Workbook(encoding="utf-8")
    sheet = made.add_sheet("清单")
    rows = [
        ["2026年区级重点项目清单"],
        ["序号", "项目名称", "建设单位", "总投资（万元）", "年度计划投资（万元）"],
        ["一、产业项目(3个)", "", "", 1800, 900],
        ["（一）湖塘镇（2个）", "", "", "", ""],
        [1, "示例一号厂房项目", "示例一号有限公司", 1000, 500],
        [2, "示例综合保税区二期", "示例保税有限公司", 300, 150],
        ["（二）雪堰镇(2项)", "", "", "", ""],
        [4, "示例阳光小区改造", "示例置业有限公司", 500, 250],
        ["", "小计", "", 1800, 900],
        ["二、基础设施项目(1个)", "", "", "", ""],
        [5, "示例路快速化改造工程", "示例交通有限公司", 2200.5, 700],
        ["", "合计(4个)", "", 4000.5, 1700],
    ]
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value != "":
                sheet.write(r, c, value)
    sheet.merge(0, 0, 0, 4)
    return made


@case
def printed_pages():
    """A list printed on three pages: the title and the header again on each, 本页小计, and the total of all at the end."""
    made, sheet = book()
    header = ["序号", "项目名称", "项目代码", "总投资(万元)", "备注"]
    rows, number, totals = [["2026年重点项目一览表"], header], 0, []
    for page in range(3):
        if page:
            rows += [["2026年重点项目一览表"], header]
        amounts = []
        for _ in range(4):
            number += 1
            amounts.append(number * 110)
            rows.append([number, f"示例{number:02}号项目", None, number * 110, "第%d页" % (page + 1)])
        rows.append([None, "本页小计", None, sum(amounts), None])
        totals += amounts
    rows.append([None, "总计", None, sum(totals), None])
    fill(sheet, rows)
    return made


@case
def names_like_groups():
    """Projects whose names look like titles, places or totals; a note of more than 150 characters; a bare place as a title."""
    made, sheet = book()
    fill(sheet, [
        ["项目名称", "建设地点", "总投资(万元)", "建设性质"],
        ["湖塘镇"],
        ["示例综合保税区", "湖塘镇", 5000, "新建"],
        ["合计划安置小区", "湖塘镇", 4000, "续建"],
        ["一汽示例零部件基地", "湖塘镇", 3000, None],
        ["续建项目(2个)"],
        ["示例小区(3个)", None, 700, None],
        ["示例全区雨污分流改造", None, 800, None],
        ["联系人民医院示例项目", None, 900, "新建"],
        ["以上项目" + "请各板块对照序时进度抓紧推进，" * 12 + "按月报送。"],
    ], merges=["A2:D2"])
    return made


# -- cells that lean on others --------------------------------------------------------------------

@case
def merged_data():
    """One owner merged over several projects, 同上 and 〃, line breaks within names, a note beside the table."""
    made, sheet = book()
    fill(sheet, [
        ["建设单位", "项目名称", "责任单位", "总投资(万元)", "开工时间"],
        ["示例甲有限公司", "示例一期\n厂房", "湖塘镇", 100, "2026年3月"],
        [None, "示例二期厂房", "同上", 200, "〃"],
        [None, " 示例三期（A）厂房　", None, 300, "2026-04-01", None, None, "旁注：三期待核"],
        ["示例乙有限公司", "示例四期厂房", "雪堰镇", 400, "同上"],
    ], merges=["A2:A4"])
    sheet["A2"].alignment = Alignment(textRotation=255, vertical="center")
    return made


# -- values -----------------------------------------------------------------------------------------

@case
def money_and_areas():
    """亿元 beside 万元, units in cells and in formats, qualifiers, classes, numerals, another currency, areas, percentages."""
    made, sheet = book()
    fill(sheet, [
        ["项目名称", "总投资(亿元)", "年度计划投资(万元)", "本月完成投资", "用地面积(亩)", "建筑面积(万平方米)", "投资完成率(%)", "外资金额(万美元)"],
        ["示例01", 12.5, "3,500.00", "约300万元", 100, 6.67, 35.8, 500],
        ["示例02", "3.5", "１２００万", "1.2亿元人民币", "6.67公顷", "66700平方米", "100%", "1,000"],
        ["示例03", 1.5, "壹佰贰拾万元整", "十二万", "2万㎡", "1.2", 0.5, "0.05亿"],
        ["示例04", "超百亿", "不少于500", "－5", "约50", "待定", "—", "500万元"],
        ["示例05", "10亿元或1亿美元", "1 234,56", "(123)", "一百二十", "3万", "五成", None],
        ["示例06", "1.2~1.5亿", "12,34", "500美元", "30亩", "800m2", "12.5％", None],
        ["示例07", 0.1 + 0.2, 1e-5, 1234567.891, 33.333333333333336, 1 / 3, 200, None],
    ], formats=[("B4", '0.00"亿元"')])
    return made


@case
def dates_of_all_kinds():
    """Days as cells of days, as serial numbers, as people write them; periods, quarters, plans, what is no day."""
    made, sheet = book()
    days = [
        datetime.date(2023, 3, 15), 45000, "2023-03-15", "2023/3/15", "2023.3.15", "20230315", 20230315, "2023年3月15日",
        "２０２３年３月１５日", "2023年3月", "2023.3", 2023.3, "2023.1", 2023.1, "2023.10", "23年3月", "3月", "2023年底", "2023上半年",
        "一季度", "2022-2025", "2022—2024年", "2022.5-2024.12", "待定", "/", "已开工", "计划6月", "2023-02-30", datetime.datetime(2023, 3, 15, 8, 30),
        "3/15/2023", "2023年3月15日（第一段）", "2023.3.15/2023.6.1",
    ]
    fill(sheet, [["项目名称", "开工时间", "计划竣工时间"]] + [[f"示例{n:02}", day, None] for n, day in enumerate(days, 1)])
    sheet["C2"] = "2024-2025年"
    sheet["C3"] = datetime.date(2026, 12, 31)
    sheet["B2"].number_format = 'yyyy"年"m"月"d"日"'
    sheet["C3"].number_format = 'm"月"'
    return made


@case
def days_of_1904():
    """A workbook that counts its days from 1904, as those of old Macintosh programs do."""
    made, sheet = book()
    made.epoch = datetime.datetime(1904, 1, 1)
    fill(sheet, [["项目名称", "开工时间", "竣工时间", "总投资(万元)"], ["示例甲", 43538, 43538, 43538], ["示例乙", "2023-03-15", None, 5]],
         formats=[("B2", "yyyy/m/d")])
    return made


@case
def codes_and_zeros():
    """Codes with leading zeros by text and by format, codes destroyed by the program, numbers as text, phone numbers."""
    made, sheet = book()
    fill(sheet, [
        ["库内编号", "项目名称", "项目代码", "统一社会信用代码", "联系电话", "总投资(万元)"],
        ["0012", "示例甲", "2306-320412-89-01-830169", "91350100M000100Y43", "051980000000", "00120"],
        [7, "示例乙", 23063204128901830169, 914403001234567000, 13800000000, 120],
        ["'0013", "示例丙", "２３０６－３２０４１２－８９－０１－８３０１６９", "9.14403E+17", "0519-80000000 转 1", "1.2E+05"],
        ["014", "示例丁", "项目代码：2306 3204 1289 0183 0169", "办理中", "/", "'500"],
    ], formats=[("A3", "0000")])
    return made


@case
def yes_and_no():
    """是/否, √/×, ○, 有/无, 已开工/未开工, 1/0, true and false; nothing is not 否."""
    made, sheet = book()
    answers = ["是", "否", "√", "×", "○", "有", "无", "已开工", "未开工", 1, 0, True, False, None, "待定", "部分", "Y", "拟开工"]
    fill(sheet, [["项目名称", "是否开工", "是否列统"]] + [[f"示例{n:02}", answer, answer] for n, answer in enumerate(answers, 1)])
    return made


@case
def formulas_and_errors():
    """Formulas with and without a stored result, errors in cells, texts in runs, links, comments, blanks that hold nothing."""
    made, sheet = book()
    fill(sheet, [
        ["项目名称", "总投资(万元)", "年度计划投资(万元)", "本月完成投资(万元)", "备注"],
        ["示例甲", 100, "=B2*2", "#REF!", "见附件"],
        ["示例乙", "=SUM(B2:B2)", "#DIV/0!", 5, "  "],
        ["示例丙", "#N/A", 7, "#VALUE!", "\n"],
    ])
    sheet["A2"].hyperlink = "https://example.com/"
    sheet["B2"].comment = Comment("含土地费用", "张某")
    sheet["A3"].font = Font(strike=True)
    sheet["E9"] = " "
    return made


# -- several sheets ---------------------------------------------------------------------------------

@case
def several_sheets():
    """A cover, instructions, three sheets of data whose names tell what they hold, a hidden one, one without a header, a form."""
    made, sheet = book("封面")
    fill(sheet, [["2026年重点项目报表"], ["示例高新区"]])
    fill(made.create_sheet("填表说明"), [["一、总投资按备案证填写。"], ["二、每月5日前报送。"]])
    fill(made.create_sheet("续建项目"), [["项目名称", "总投资(万元)"], ["示例甲", 100], ["示例乙", 200]])
    fill(made.create_sheet("新建项目(1个)"), [["项目名称", "总投资（亿元）", "建设性质"], ["示例丙", 3, "扩建"], ["示例丁", 4, None]])
    fill(made.create_sheet("储备项目"), [["单位：亿元"], ["总投资", "项目名称"], [5, "示例戊"]])
    fill(made.create_sheet("上月"), [["项目名称", "总投资(万元)"], ["旧项目", 1]]).sheet_state = "hidden"
    fill(made.create_sheet("底稿"), [["项目名称", "总投资(万元)"], ["底稿项目", 1]]).sheet_state = "veryHidden"
    fill(made.create_sheet("数据"), [[1, 2, 3], [4, 5, 6]])
    fill(made.create_sheet("基本情况"), [["项目名称", "示例己"], ["建设单位", "示例己有限公司"], ["总投资(万元)", 500], ["建设地点", "湖塘镇"]])
    made.create_sheet("空表")
    return made


@case
def tables_in_one_sheet():
    """Two tables below one another, the second with other columns; a word in a cell far away; a row beyond a gap."""
    made, sheet = book()
    fill(sheet, [
        ["项目名称", "总投资(万元)", "建设单位"],
        ["示例甲", 100, "示例甲有限公司"],
        ["示例乙", 200, "示例乙有限公司"],
        [],
        ["示例丙", 300, "示例丙有限公司"],
        [],
        ["存在问题", "项目名称", "责任单位", "办结时限"],
        ["用地指标", "示例甲", "示例资规局", "2026-06-30"],
    ])
    sheet["Z2"] = "打印区外"
    return made


# -- headers ----------------------------------------------------------------------------------------

@case
def headers_as_people_write_them():
    """★ and （必填）, blanks and line breaks within, units of all spellings, ambiguous words, the same field twice, a slip of the pen."""
    made, sheet = book()
    fill(sheet, [
        ["★项 目\n名　称（必填）", "*总投资\n（单位：亿元）", "年度计划投资（万元）", "累计完成投资（万元）", "1-4月完成投资", "项目编号", "进度", "建设单为",
         "用地面积【亩】", "项目名称", None, "领导批示"],
        ["示例甲", 1.5, 3000, 900, 800, "A-01", "主体封顶", "示例甲有限公司", 30, "重复甲", "无名列", "同意"],
        ["示例乙", 2.5, 4000, 700, 600, "A-02", "基础施工", "示例乙有限公司", 20, "重复乙", None, None],
    ])
    return made


@case
def formatted_to_the_end():
    """Formats and borders down to the last rows of the sheet and far to the right, as a column formatted by a click has them."""
    made, sheet = book()
    fill(sheet, [["项目名称", "总投资(万元)"], ["示例甲", 100], ["示例乙", 200]])
    for row in (500, 1000, 1048576):
        for column in (1, 2, 30, 16384):
            sheet.cell(row, column).font = Font(bold=True)
    return made


# -- other programs ---------------------------------------------------------------------------------

@case
def openoffice():
    """An OpenDocument sheet: repeated rows and cells, merged cells, percentages, days, currency, a hidden row."""
    made = opendocument.OpenDocumentSpreadsheet()
    percent = odf_number.PercentageStyle(name="P")
    percent.addElement(odf_number.Number(decimalplaces="1", minintegerdigits="1"))
    percent.addElement(odf_number.Text(text="%"))
    made.automaticstyles.addElement(percent)
    shown = style.Style(name="CP", family="table-cell", datastylename="P")
    made.automaticstyles.addElement(shown)
    sheet = table.Table(name="进展")

    def cell(value, **more):
        if value is None:
            return table.TableCell(**more)
        if isinstance(value, datetime.date):
            made_cell = table.TableCell(valuetype="date", datevalue=value.isoformat(), **more)
            value = f"{value.year}/{value.month}/{value.day}"
        elif isinstance(value, float | int):
            made_cell = table.TableCell(valuetype=more.pop("kind", "float"), value=value, **more)
        else:
            made_cell = table.TableCell(valuetype="string", **more)
        for part in str(value).split("\n"):
            made_cell.addElement(text.P(text=part))
        return made_cell

    def row(cells, **more):
        made_row = table.TableRow(**more)
        for one in cells:
            made_row.addElement(one)
        sheet.addElement(made_row)

    row([cell("2026年4月进展", numbercolumnsspanned=5), table.CoveredTableCell(numbercolumnsrepeated=4)])
    row([cell("项目名称", numberrowsspanned=2), cell("总投资(万元)", numberrowsspanned=2), cell("完成情况", numbercolumnsspanned=2),
         table.CoveredTableCell(), cell("开工时间", numberrowsspanned=2)])
    row([table.CoveredTableCell(numbercolumnsrepeated=2), cell("本月完成"), cell("投资完成率"), table.CoveredTableCell()])
    row([cell("示例甲\n(一期)"), cell(100.5), cell(20), cell(0.358, kind="percentage", stylename=shown), cell(datetime.date(2026, 3, 15))])
    row([cell("示例乙"), cell(200, kind="currency"), cell(None), cell(1, kind="percentage", stylename=shown), cell("2026年3月")])
    row([cell("示例丙"), cell(300, numbercolumnsrepeated=2), cell(None, numbercolumnsrepeated=1020)], visibility="collapse")
    row([cell(None, numbercolumnsrepeated=1024)], numberrowsrepeated=1000)
    row([cell("示例丁"), cell(400), cell(None, numbercolumnsrepeated=1022)])
    row([cell(None, numbercolumnsrepeated=1024)], numberrowsrepeated=1048000)
    made.spreadsheet.addElement(sheet)
    return made


@case
def wps():
    """An .et file of WPS, which is an old workbook under another name: formats, days, merged cells, a hidden column."""
    made = xlwt.Workbook(encoding="utf-8")
    sheet = made.add_sheet("月报")
    day, percent, code = (xlwt.easyxf(num_format_str=shown) for shown in ("YYYY/M/D", "0.0%", "0000000"))
    for c, header in enumerate(["库内编号", "项目名称", "总投资(万元)", "投资完成率", "开工时间", "责任单位"]):
        sheet.write(0, c, header)
    for r, (number, name, rate) in enumerate([(123, "示例甲", 0.358), (45678, "示例乙", 1.05)], 1):
        sheet.write(r, 0, number, code)
        sheet.write(r, 1, name)
        sheet.write(r, 2, xlwt.Formula("100*%d" % r))
        sheet.write(r, 3, rate, percent)
        sheet.write(r, 4, datetime.date(2026, 3, 14 + r), day)
    sheet.write_merge(1, 2, 5, 5, "湖塘镇")
    sheet.col(5).hidden = True
    return made


# -- bytes ------------------------------------------------------------------------------------------

ENDINGS = {"wps": ".et"}


def save(name, made):
    """Writes a workbook without the time of its making, so that the same script gives the same bytes."""
    buffer = io.BytesIO()
    if isinstance(made, xlwt.Workbook):
        made.save(buffer)
        ending = ".xls"
    elif isinstance(made, Workbook):
        made.properties.created = made.properties.modified = WRITTEN
        made.save(buffer)
        buffer, ending = still(buffer), ".xlsx"
    else:
        made.save(buffer)
        buffer, ending = still(buffer), ".ods"
    (HERE / (name + ENDINGS.get(name, ending))).write_bytes(buffer.getvalue())


def still(package):
    """The package with one time for all of its parts."""
    stilled = io.BytesIO()
    with zipfile.ZipFile(package) as before, zipfile.ZipFile(stilled, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename in ("docProps/core.xml", "meta.xml"):
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", b"2026-05-06T09:30:00Z", content)
            one = zipfile.ZipInfo(entry.filename, WRITTEN.timetuple()[:6])
            one.compress_type = entry.compress_type
            after.writestr(one, content)
    return stilled


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        save(name, CASES[name]())
