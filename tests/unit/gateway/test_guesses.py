import pytest

from portal.gateway import Rejected, may_mean_duplicate, means_no_such_call, means_no_such_order

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
]
NO_SUCH_CALL = [
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


def says(message):
    return Rejected("1003", message)


@pytest.mark.parametrize(("messages", "expected"), [(DUPLICATE, True), (NOT_DUPLICATE, False)])
def test_a_message_may_mean_a_duplicate(messages, expected):
    assert [message for message in messages if may_mean_duplicate(says(message)) is not expected] == []


@pytest.mark.parametrize(("messages", "expected"), [(NO_SUCH_ORDER, True), (NOT_NO_SUCH_ORDER, False)])
def test_a_message_means_no_such_order(messages, expected):
    assert [message for message in messages if means_no_such_order(says(message)) is not expected] == []


@pytest.mark.parametrize(("messages", "expected"), [(NO_SUCH_CALL, True), (NOT_NO_SUCH_CALL, False)])
def test_a_message_means_no_such_call(messages, expected):
    assert [message for message in messages if means_no_such_call(says(message)) is not expected] == []


@pytest.mark.parametrize("message", [*DUPLICATE, *NO_SUCH_ORDER, *NO_SUCH_CALL])
def test_the_guesses_exclude_each_other(message):
    rejected = says(message)
    guesses = [may_mean_duplicate(rejected), means_no_such_order(rejected), means_no_such_call(rejected)]
    assert guesses.count(True) == 1
