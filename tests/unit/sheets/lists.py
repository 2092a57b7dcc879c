"""Lists as people make them, for the tests: their columns, and workbooks put together part by part."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from portal.sheets import Column, Row, read

COLUMNS = (
    Column("mobile", ("手机号", "手机号码", "号码", "phone"), required=True),
    Column("face_value", ("面值", "金额", "amount"), required=True),
    Column("speed", ("快慢", "速度")),
    Column("note", ("备注",), may_span=True),
)
HEADER = "手机号,面值,快慢,备注\n"

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TITLES = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>手机号</t></is></c><c r="B1" t="inlineStr"><is><t>面值</t></is></c>'
    '<c r="C1" t="inlineStr"><is><t>备注</t></is></c></row>'
)


def rows(content: bytes | str, file_name: str = "list.csv") -> list[Row]:
    return list(read(content.encode() if isinstance(content, str) else content, file_name=file_name, columns=COLUMNS))


def pasted(text: str) -> list[Row]:
    return rows(text, file_name="")


def cells(content: bytes | str, file_name: str = "list.csv") -> list[tuple[str, ...]]:
    return [tuple(row.cells.values()) for row in rows(content, file_name)]


def package(parts: dict[str, bytes | str], compression: int = ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", compression) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


def worksheet(xml_rows: str) -> str:
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{xml_rows}</sheetData></worksheet>'


def parts(*sheets: str, texts: str = "", styles: str = "", states: tuple[str, ...] = ()) -> dict[str, bytes | str]:
    """Return the parts of a workbook whose sheets are given as XML."""
    listed, related, named = "", "", {}
    for number, sheet in enumerate(sheets, 1):
        state = f' state="{states[number - 1]}"' if states else ""
        listed += f'<sheet name="S{number}" sheetId="{number}"{state} r:id="r{number}"/>'
        related += f'<Relationship Id="r{number}" Type="{KINDS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        named[f"xl/worksheets/sheet{number}.xml"] = sheet
    related += f'<Relationship Id="t" Type="{KINDS}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
    related += f'<Relationship Id="s" Type="{KINDS}/styles" Target="styles.xml"/>'
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="w" Type="{KINDS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{KINDS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">{related}</Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        **named,
    }


def listed(xml_rows: str, texts: str = "", styles: str = "") -> list[Row]:
    """Return what is read of a workbook with these rows below the titles of mobile number, value and note."""
    return rows(package(parts(worksheet(TITLES + xml_rows), texts=texts, styles=styles)), "list.xlsx")


def large_csv(count: int) -> bytes:
    """Return a list as Chinese Excel saves it."""
    lines = (f"{13800000000 + number},{50 if number % 3 else 100},快,第{number}位客户\r\n" for number in range(count))
    return ("手机号,面值,快慢,备注\r\n" + "".join(lines)).encode("gb18030")


def large_xlsx(count: int) -> bytes:
    """Return a list as Excel saves it: numbers as they are, all texts shared ones."""
    texts = "<si><t>快</t></si>" + "".join(f"<si><t>第{number}位客户</t></si>" for number in range(count))
    titles = "".join(f'<c t="inlineStr"><is><t>{title}</t></is></c>' for title in ("手机号", "面值", "快慢", "备注"))
    lines = (
        f'<row r="{line}"><c r="A{line}"><v>{13800000000 + line}</v></c>'
        f'<c r="B{line}"><v>{50 if line % 3 else 100}</v></c>'
        f'<c r="C{line}" t="s"><v>0</v></c><c r="D{line}" t="s"><v>{line - 1}</v></c></row>'
        for line in range(2, count + 2)
    )
    return package(parts(worksheet(f'<row r="1">{titles}</row>' + "".join(lines)), texts=texts))
