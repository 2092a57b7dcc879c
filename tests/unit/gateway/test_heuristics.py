import pytest

from portal.gateway import Rejected, may_mean_duplicate, means_no_such_call, means_no_such_order
from portal.gateway.heuristics import Complaint, complaint, is_definite_no, means_not_rechargeable
from portal.sandbox.protocol import Reason

DUPLICATE = [
    "订单号重复",
    "请勿重复提交",
    "order_no 重复",
    "订单已存在",
    "订单号已经存在",
    "该订单已提交",
    "订单已推送",
    "订单已受理",
    "订单号存在",
    "Duplicate order_no",
    "duplicated order",
    "order already exists",
    "The order exists",
    "order_no exist",
    "order has already been submitted",
    "repeated order number",
    "用户不存在, 订单已存在",
]
NOT_DUPLICATE = [
    "",
    "订单不存在",
    "该号码不存在",
    "app_key不能为空",
    "签名错误",
    "余额不足",
    "order does not exist",
    "order doesn't exist",
    "order doesn’t exist",
    "the store does not exists",
    "no longer exists",
    "order not found",
    "channel unavailable",
    "insufficient balance",
]
NO_SUCH_ORDER = [
    "订单不存在",
    "该订单不存在",
    "订单号不存在",
    "订单信息不存在!",
    "订单未找到",
    "未找到订单",
    "未找到该订单",
    "没有找到订单",
    "没有找到相关的订单",
    "找不到此订单",
    "查无订单",
    "查无此单",
    "查无此订单",
    "无此订单",
    "没有该订单",
    "order_no不存在",
    "油卡订单不存在",
    "order not found",
    "Order Not Found.",
    "order was not found",
    "order no not found",
    "order_number not exist",
    "no such order",
    "No order found",
    "order does not exist",
    "order doesn't exist",
    "the order could not be found",
    "order cannot be found",
    "cannot find the order",
    "查询结果：订单不存在",
    "未找到该订单的信息",
]
NOT_NO_SUCH_ORDER = [
    "",
    "app_key不存在",
    "app_key not found",
    "店铺不存在",
    "store not found",
    "订单店铺不存在",
    "the shop of the order was not found",
    "签名错误",
    "sign error, order not found",
    "用户不存在",
    "商户不存在",
    "接口不存在",
    "订单接口不存在",
    "order method not found",
    "订单不存在或已删除",
    "订单不存在或无权限",
    "没有权限查询该订单",
    "order not found or deleted",
    "订单已不存在",
    "order no longer exists",
    "订单已存在",
    "order exists",
    "order already exists",
    "订单号不能为空",
    "order_number is required",
    "余额不足",
    "系统繁忙",
    "没有单价",
    "卡号不存在",
    "查询失败",
    "order query failed",
    "not found",
    "不存在",
    "order not found, try again later",
    "订单信息查询不到，系统繁忙",
    "只能查询三天内的订单，未查到订单",
    "近7天内未查到订单",
    "no order found within 30 days",
    "order not found, server busy",
    "未找到该订单的退款",
    "查询不到该订单的充值结果",
    "暂未查到该订单的结果",
    "暂无此订单",
    "尚未查到订单",
    "还没有找到该订单",
    "无订单结果",
    "没有该订单的状态",
    "未查到该订单的到账记录",
    "查无该订单退款信息",
    "未查到订单回执",
    "上游未找到该订单",
    "订单不存在，充值成功",
    "order not found yet",
    "no order found so far",
    "order was not found at the supplier",
    "order not found, success",
]
NO_SUCH_CALL = [
    "控制器不存在:app\\controller\\Recharge",
    "当前访问路由未定义或不匹配",
    "controller not exists:app\\controller\\Recharge",
    "模块不存在:recharge",
    "接口不存在",
    "方法不存在",
    "不存在的接口",
    "无效的方法",
    "未找到该接口",
    "接口未开放",
    "method not found",
    "Method does not exist",
    "the api was not found",
    "unknown method",
    "invalid method",
]
NOT_NO_SUCH_CALL = ["", "订单不存在", "签名错误", "接口签名错误", "order not found", "接口调用失败", "method"]


def says(message: str) -> Rejected:
    return Rejected("1003", message)


@pytest.mark.parametrize(("messages", "expected"), [(DUPLICATE, True), (NOT_DUPLICATE, False)])
def test_a_message_may_mean_a_duplicate(messages: list[str], expected: bool) -> None:
    assert [message for message in messages if may_mean_duplicate(says(message)) is not expected] == []


@pytest.mark.parametrize(("messages", "expected"), [(NO_SUCH_ORDER, True), (NOT_NO_SUCH_ORDER, False)])
def test_a_message_means_no_such_order(messages: list[str], expected: bool) -> None:
    assert [message for message in messages if means_no_such_order(says(message)) is not expected] == []


@pytest.mark.parametrize(("messages", "expected"), [(NO_SUCH_CALL, True), (NOT_NO_SUCH_CALL, False)])
def test_a_message_means_no_such_call(messages: list[str], expected: bool) -> None:
    assert [message for message in messages if means_no_such_call(says(message)) is not expected] == []


@pytest.mark.parametrize("message", [*DUPLICATE, *NO_SUCH_ORDER, *NO_SUCH_CALL])
def test_the_readings_exclude_each_other(message: str) -> None:
    rejected = says(message)
    readings = [may_mean_duplicate(rejected), means_no_such_order(rejected), means_no_such_call(rejected)]
    assert readings.count(True) == 1


DEFINITE = [
    "余额不足",
    "账户余额不足",
    "余额 不足",
    "余额不足，请充值",
    "余额不足，请充值后再试",
    "账户余额不足，请联系客服",
    "app_key不能为空",
    "mobile不能为空",
    "手机号不能为空",
    "缺少参数store_id",
    "缺少必填参数",
    "参数错误",
    "签名错误",
    "签名无效",
    "密钥错误",
    "请求格式错误",
    "手机号格式错误",
    "手机号码不正确",
    "号码无效",
    "无效的手机号",
    "面值不支持",
    "不支持的面值",
    "该面值暂不支持",
    "金额错误",
    "店铺不存在",
    "店铺已停用",
    "app_key无效",
    "请求已过期",
    "版本号错误",
    "请求方式错误",
    "接口不存在",
    "权限不足",
    "无权限",
    "IP不在白名单",
    "ip未授权",
    "黑名单号码",
    "产品已下架",
    "虚拟号段不支持充值",
    "虚拟运营商号码不能充值",
    "携号转网用户无法充值",
    "油卡不存在",
    "卡号错误",
    "卡号格式错误",
    "通道维护中",
    "insufficient balance",
    "Insufficient funds",
    "invalid sign",
    "Invalid signature",
    "invalid app_key",
    "mobile is required",
    "money cannot be empty",
    "face value not supported",
    "permission denied",
    "unsupported amount",
    "missing param: store_id",
    "号码已停机",
    "该号码禁止充值",
]
NOT_DEFINITE = [
    "order_no重复，参数错误",
    "该号码已有，号码无效",
    "余额不足，充值成功",
    "签名错误，充值完成",
    "已扣款，签名错误",
    "并非余额不足",
    "资金已冻结",
    "manual confirmation is required",
    "",
    "系统异常，请稍后查询订单结果",
    "请求超时",
    "处理中",
    "系统繁忙",
    "网络异常，结果未知",
    "order submitted, waiting",
    "系统错误",
    "未知错误",
    "下单失败",
    "提交失败",
    "充值失败",
    "订单处理中",
    "订单已提交",
    "请稍后再试",
    "服务器繁忙",
    "接口超时",
    "内部错误",
    "余额不足，订单处理中",
    "系统异常: 参数错误, 请查询订单",
    "签名错误请求超时",
    "订单号重复",
    "订单已存在",
    "推送失败",
    "ok",
    "success",
    "充值中",
    "等待确认",
    "timeout",
    "Timed out",
    "time out",
    "pending",
    "processing",
    "please try again later",
    "internal server error",
    "system busy",
    "server error",
    "unknown error",
    "network error",
    "order accepted, invalid sign",
    "请求过于频繁",
    "请求过多",
    "系統異常",
    "餘額不足",
    "已受理",
    "排队中",
    "9999",
    "null",
    "操作失败",
    "异常",
    "参数错误，请重试",
    "上游返回超时，余额不足",
    "连接断开",
    "gateway timeout: insufficient balance",
    "渠道返回未知",
    "号码暂不支持该渠道，已转下一渠道充值",
    "当前渠道不支持，换渠道重充",
    "上游余额不足，待补款后充值",
    "余额不足，充值挂起",
    "已存单，余额不足",
    "余额不足，部分充值",
    "余额不足，自动续充",
    "余额不足，转人工",
    "面值不支持，拆分充值",
    "手机号码错误，退款中",
    "上游返回格式错误",
    "响应格式不正确",
    "服务暂不可用",
    "签名错误，在充值",
    "余额不足，充值了",
    "该号码不支持快充，改为慢充",
    "insufficient balance, queued for the next channel",
    "not supported here, forwarded",
    "invalid mobile, refunded",
]


@pytest.mark.parametrize("message", DEFINITE)
def test_a_definite_no_is_one_whatever_its_code(message: str) -> None:
    assert all(is_definite_no(Rejected(code, message)) for code in ("1003", "9999", "", "500"))


@pytest.mark.parametrize("message", [*NOT_DEFINITE, *DUPLICATE])
def test_whatever_is_not_sure_is_no_definite_no(message: str) -> None:
    assert not any(is_definite_no(Rejected(code, message)) for code in ("1003", "9999", "", "500"))


@pytest.mark.parametrize("definite", DEFINITE)
@pytest.mark.parametrize("unclear", ["系统异常", "请稍后查询订单结果", "请求超时", "处理中", "timeout", "please wait"])
def test_a_definite_word_beside_an_unclear_one_is_not_definite(definite: str, unclear: str) -> None:
    assert not is_definite_no(Rejected("1003", f"{definite}，{unclear}"))
    assert not is_definite_no(Rejected("1003", f"{unclear}: {definite}"))


def test_refusals_of_the_stand_in_are_definite() -> None:
    """Else it would simulate none; what tells of another order, or of a query, is no refusal of a push."""
    others = {Reason.DUPLICATE_ORDER, Reason.UNKNOWN_ORDER, Reason.NOT_CANCELLABLE}
    for reason in set(Reason) - others:
        assert is_definite_no(Rejected(*reason.value)), reason


@pytest.mark.parametrize(
    "message",
    [
        "携号转网号码不支持充值",
        "虚拟运营商号码不支持充值",
        "手机号码格式错误",
        "该地区暂不支持",
        "空号",
        "面值不支持",
        "mobile not supported",
    ],
)
def test_a_refusal_about_the_number_says_that_it_cannot_be_topped_up(message: str) -> None:
    assert means_not_rechargeable(Rejected("2010", message))


@pytest.mark.parametrize(
    "message",
    [
        "",
        "余额不足",
        "签名错误",
        "app_key无效",
        "店铺不存在",
        "接口不存在",
        "系统异常",
        "号码不支持，请稍后重试",
        "参数错误",
        "店铺不支持该号码",
    ],
)
def test_a_refusal_about_anything_else_says_nothing_of_the_number(message: str) -> None:
    assert not means_not_rechargeable(Rejected("2010", message))


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("签名错误", Complaint.SIGNATURE),
        ("sign_error", Complaint.SIGNATURE),
        ("invalid signature", Complaint.SIGNATURE),
        ("密钥已过期", Complaint.SIGNATURE),
        ("签名已过期", Complaint.TIME),
        ("签名超时", Complaint.TIME),
        ("signature expired", Complaint.TIME),
        ("timestamp expired", Complaint.TIME),
        ("请求超时", None),
    ],
)
def test_a_signature_that_is_too_old_is_a_matter_of_the_clock(message: str, about: Complaint | None) -> None:
    assert complaint(says(message)) == about
