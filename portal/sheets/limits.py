"""How large a sheet may be. What lies beyond is refused before it can cost memory or time."""

MAX_FILE_BYTES = 20 * 1024 * 1024  # of the upload itself
MAX_ROWS = 100_000  # with something in them, the header not counted
MAX_CELL_LENGTH = 1_000  # characters; a longer cell is cut, and said to be wrong
HEADER_WITHIN = 20  # rows with something in them, among which the header is looked for
MAX_COLUMNS = 16_384  # Excel's own limits, as are the rows below
MAX_SHEET_ROWS = 1_048_576
