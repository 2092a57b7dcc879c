"""What people say of each other's orders in a chat: they take back, correct, quote, and give examples."""

import pytest

from tests.unit.pasted.lines import placed, readings, refused

ONE, TWO, THREE = "13810010001", "13810010002", "13810010003"
CHAT = f"张三 10:20\n{ONE} 50\n李四 10:21\n{TWO} 50\n"
BY_LINE = f"张三：{ONE} 50\n李四：{TWO} 50\n"
ALONE = f"张三:\n{ONE} 50\n\n李四:\n{TWO} 50\n\n"


@pytest.mark.parametrize(
    "words", ["取消", "不充了", "改成100", "的那个不要", "充好了", "50 已充", "没到", "换成13810010009", "错了"]
)
def test_a_line_that_names_a_number_is_about_that_number(words: str) -> None:
    assert placed(f"{ONE} 50\n{TWO} 50\n{ONE} {words}\n{THREE} 50") == [(TWO, "50"), (THREE, "50")]


def test_a_number_that_corrects_another_one_takes_that_back() -> None:
    assert placed(f"{ONE} 50\n{TWO} 50\n错了，应该是{THREE} 50") == [(ONE, "50")]


@pytest.mark.parametrize("mark", ["已充", "取消", "改成100", "不是本人", "❌"])
def test_a_mark_on_a_line_of_a_list_is_about_that_line_alone(mark: str) -> None:
    assert (ONE, "50") in placed(f"{ONE} 50\n{TWO} 50 已充\n{THREE} 50 取消")
    assert placed(f"{ONE} 50\n{TWO} 50 {mark}") == [(ONE, "50")] * (mark != "改成100")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CHAT, "张三 10:22\n不要了"),
        (CHAT, "张三 10:22\n100"),
        (BY_LINE, "张三：不要了"),
        (BY_LINE, "张三：100"),
        (BY_LINE, "[10:22] 张三: 不要了"),
        (ALONE, "张三:\n不要了"),
        (CHAT, "张三 10:22\n「张三：13810010001 50」\n- - - - - -\n这个取消"),
        (f"{ONE} 50\n{TWO} 50\n", "尾号0001的不要了"),
        (f"{ONE} 50\n{TWO} 50\n", "0001那个改成100"),
        (f"张三 {ONE} 50\n李四 {TWO} 50\n", "张三那个先别充"),
        (f"{ONE} 50\n{TWO} 50\n", "第一个取消"),
        (f"{ONE} 50\n{TWO} 50\n", "上面两个都取消"),
        (f"{ONE} 50\n{TWO} 50\n", "以上全部作废"),
        (CHAT, "客服 10:22\n已充"),
        (CHAT, "客服 10:22\n都充好了"),
    ],
)
def test_what_may_be_taken_back_is_not_placed(text: str, words: str) -> None:
    assert (ONE, "50") in placed(text)
    assert (ONE, "50") not in placed(text + words)
    assert placed(f"{text}{words}\n好的\n{THREE} 50") == [
        order for order in placed(text + words) if order != (ONE, "50")
    ] + [(THREE, "50")]


@pytest.mark.parametrize(
    "words",
    [
        "充好了告诉您",
        "到了跟我说一声",
        "充值成功请回复",
        "上次那个到账了吗",
        "上次的昨天就到账了",
        "不急，充完给您截图",
    ],
)
def test_what_will_be_done_takes_nothing_back(words: str) -> None:
    assert placed(f"{CHAT}客服 10:22\n{words}") == [(ONE, "50"), (TWO, "50")]


def test_what_others_said_stays() -> None:
    text = f"{CHAT}张三 10:22\n「张三：{ONE} 50」\n- - - - - -\n这个取消"
    assert placed(text) == [(TWO, "50")]


@pytest.mark.parametrize("words", ["以下取消：", "下面这些已经充过了", "不要充这两个"])
def test_a_line_may_take_back_what_stands_below(words: str) -> None:
    text = f"{THREE} 100\n{words}\n{ONE} 50\n{TWO} 50"
    assert set(placed(text)) <= {(THREE, "100")}
    assert set(placed(f"{text}\n王五 10:30\n13810010004 50")) >= {("13810010004", "50")}


@pytest.mark.parametrize(
    "example", ["例：{} 50", "例 张三 {} 50", "示例\n{} 50", "格式如下，例如：\n{} 50", "（例）{} 50"]
)
def test_an_example_is_no_order(example: str) -> None:
    assert placed(f"接龙\n{example.format(ONE)}\n\n1. 李四 {TWO} 50\n2. {THREE} 100") == [(TWO, "50"), (THREE, "100")]


@pytest.mark.parametrize(
    "quoted",
    [
        "「张三：{} 50」\n- - - - - - -\n好的马上充",
        "「张三：{} 50\n在吗」\n—————\n好的",
        "「张三：\n{} 50」\n—————\n好的",
        "[引用 张三：{} 50]",
        "回复 张三：{} 50",
        "> {} 50",
    ],
)
def test_a_quoted_message_is_no_order(quoted: str) -> None:
    assert placed(f"{quoted.format(ONE)}\n{TWO} 50") == [(TWO, "50")]
    assert any("quotes another message" in why for why in refused(quoted.format(ONE)).values())


@pytest.mark.parametrize(
    "typed", ["「{}」50", "「{}：50」", "王五：「{} 50」", "「张三：在吗」{} 50", "{} 50 收到请回复：谢谢"]
)
def test_brackets_and_polite_words_quote_nothing(typed: str) -> None:
    assert placed(typed.format(ONE)) == [(ONE, "50")]


@pytest.mark.parametrize(
    "notice",
    [
        "管理员撤回了一条成员消息",
        "你撤回了一条消息 重新编辑",
        "张三撤回了1条消息",
        "此消息已撤回",
        "合计：100",
        "共2个 合计150元",
    ],
)
def test_notices_of_the_program_and_sums_change_nothing(notice: str) -> None:
    assert placed(f"{ONE} 50\n{TWO} 100\n{notice}") == [(ONE, "50"), (TWO, "100")]


@pytest.mark.parametrize(
    "words",
    [
        *(
            "✅",
            "❌",
            "√",
            "已完成",
            "搞定",
            "失败",
            "充不了",
            "无法充值",
            "空号",
            "不用",
            "去掉",
            "先等等再充",
            "等我通知",
        ),
        *(
            "明天充",
            "下月充",
            "待定",
            "未付款",
            "没给钱",
            "什么价",
            "帮忙查一下",
            "昨天充的",
            "流量",
            "Q币",
            "电费",
            "宽带",
        ),
    ],
)
def test_what_is_done_or_not_wanted_now_is_asked_about(words: str) -> None:
    assert placed(f"{ONE} 50 {words}") == []


@pytest.mark.parametrize(
    "words",
    [
        "充好告诉我",
        "充完请回复",
        "充好了说一声",
        "不用急",
        "别忘了",
        "等下付款",
        "完成后付款",
        "已付款",
        "快到了",
        "不急",
    ],
)
def test_polite_words_keep_no_order_back(words: str) -> None:
    assert placed(f"{ONE} 50 {words}") == [(ONE, "50")]


@pytest.mark.parametrize("note", ["充两个", "x2", "2张", "两笔"])
def test_a_note_that_asks_for_several_is_not_taken_for_one(note: str) -> None:
    assert placed(f"{ONE},50,快,{note}") == []


def test_many_corrections_cost_no_more_than_reading() -> None:
    text = "\n".join(f"{13810010000 + number} 50\n取消" for number in range(2_000))
    assert placed(text) == []
    assert len(readings(text)) == 4_000


@pytest.mark.parametrize("words", ["張三 10:22\n這個作廢", "張三那個先別充"])
def test_traditional_characters_take_back_as_well(words: str) -> None:
    assert placed(f"張三 10:20\n{ONE} 50\n李四 10:21\n{TWO} 50\n{words}")[:1] != [(ONE, "50")]


@pytest.mark.parametrize(
    "words",
    [
        *("已退", "已到", "到帐了", "OK了", "好了", "成功", "充值完毕", "充值中", "已经给您充了", "自己充了", "充上了"),
        *(
            "暂不",
            "暂缓",
            "缓充",
            "推迟",
            "先放一放",
            "无需充值",
            "免充",
            "禁止充值",
            "停止充值",
            "待支付",
            "未支付",
            "换个号",
        ),
        *("✓", "🆗", "🚫", "⛔", "[x]", "停", "撤", "废", "注销", "销号", "失效", "黑名单", "成功为您充值"),
    ],
)
def test_other_words_for_done_and_not_wanted_are_asked_about(words: str) -> None:
    assert placed(f"{ONE} 50 {words}") == []


@pytest.mark.parametrize(
    "words",
    [
        *(
            "已付",
            "已转账",
            "已经付了",
            "充中国移动",
            "秒到账",
            "停机了",
            "好了告诉我",
            "成功了说一声",
            "停电了",
            "退休张老师",
        ),
        *(
            "张成功",
            "未完成",
            "还没处理好",
            "客户已到店",
            "每日优鲜",
            "已欠费",
            "无需发票",
            "给我充上",
            "充好了吗",
            "已到期",
            "快好了吗",
            "待会付",
        ),
    ],
)
def test_words_that_are_like_them_keep_no_order_back(words: str) -> None:
    assert placed(f"{ONE} 50元 {words}") == [(ONE, "50")]


@pytest.mark.parametrize(
    "words",
    ["已经给您充了", "我自己充了", "充上了", "好了", "成功！", "到了", "✅", "停！", "先放一放", "暂不充", "换个号"],
)
def test_a_line_alone_may_say_that_it_is_done_or_not_wanted(words: str) -> None:
    assert placed(f"{ONE} 50\n{TWO} 100\n{words}\n{THREE} 50") == [(ONE, "50"), (THREE, "50")]
    assert (TWO, "100") not in placed(f"{ONE} 50\n{TWO} 100\n客服：{words}\n{THREE} 50")


@pytest.mark.parametrize(
    "words", ["好了吗", "好了叫我", "就这样好了", "收到了", "停机了", "还没到账", "成功了告诉我", "马上到了"]
)
def test_chatter_that_is_like_it_takes_nothing_back(words: str) -> None:
    assert placed(f"{ONE} 50\n{words}") == [(ONE, "50")]


@pytest.mark.parametrize("words", ["还是充100吧", "换100的", "加到100", "充100可以吗", "现在100"])
def test_another_value_below_may_be_the_one_that_is_wanted(words: str) -> None:
    assert placed(f"{ONE} 50\n{words}") == []


@pytest.mark.parametrize("words", ["那个先缓缓", "改100", "这个等会", "我记错", ""])
def test_a_number_that_comes_again_without_a_value_may_be_taken_back(words: str) -> None:
    assert placed(f"{ONE} 50\n{TWO} 50\n{ONE}{words}\n{THREE} 50") == [(TWO, "50"), (THREE, "50")]


@pytest.mark.parametrize(
    "heading",
    ["已完成", "【已处理】", "失败的：", "成功的：", "昨天的：", "上周：", "== 已充 ==", "【充值失败】", "已充"],
)
def test_a_heading_may_say_that_what_stands_below_is_done(heading: str) -> None:
    assert placed(f"{heading}\n{ONE} 50\n{TWO} 50\n待充：\n{THREE} 50") == [(THREE, "50")]


@pytest.mark.parametrize(
    "heading",
    [
        "【未处理】",
        "今天的：",
        "张三：",
        "【未充】",
        "— 话费 —",
        "充值名单：",
        "未完成：",
        "未成功的：",
        "张成功：",
        "完成后通知：",
    ],
)
def test_other_headings_change_nothing(heading: str) -> None:
    assert placed(f"{THREE} 100\n{heading}\n{ONE} 50\n{TWO} 50") == [(THREE, "100"), (ONE, "50"), (TWO, "50")]


@pytest.mark.parametrize("quoted", ["李四：回复 张三：{} 50", "李四 回复 张三：{} 50"])
def test_a_quotation_behind_the_name_of_its_writer_is_no_order(quoted: str) -> None:
    assert placed(f"{quoted.format(ONE)}\n{TWO} 50") == [(TWO, "50")]


def test_what_somebody_says_first_is_about_what_stands_above_the_text() -> None:
    assert placed(f"客服：已充好\n张三：{ONE} 50\n李四：{TWO} 50") == [(ONE, "50"), (TWO, "50")]
    assert placed(f"客服 10:00\n已充好\n张三 10:01\n{ONE} 50") == [(ONE, "50")]
