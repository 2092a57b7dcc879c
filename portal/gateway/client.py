"""The platform's calls, one method each."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from portal.gateway import calls, messages, parsing
from portal.gateway.calls import Call, Card, checked_text
from portal.gateway.errors import GatewayError, OutcomeUnknown
from portal.gateway.messages import Answer
from portal.gateway.results import (
    Account,
    Acknowledgement,
    CardType,
    MobileInfo,
    OilCard,
    OilCardReceipt,
    OrderReport,
    OrderType,
    PushReceipt,
    Speed,
)
from portal.gateway.signing import sign
from portal.gateway.transport import Transport, checked_base_url

MAX_TIMEOUT = 3600

logger = logging.getLogger("portal.gateway")

Result = TypeVar("Result")


class Client:
    """Calls the platform. One client serves all threads; every call is made once and never retried.

    Every method raises `Rejected` for a definite no, `NotSent` if no byte of the request left,
    `OutcomeUnknown` for anything else, and `ValueError` for arguments that must not go out. After
    `OutcomeUnknown` from a push the order may have been taken: ask with a query, never push again.

    A call that has not begun to send within `timeout` seconds does not begin at all. Only the resolution of
    the host's name cannot be interrupted; if it takes too long, the call ends in `NotSent` right after it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        app_key: str,
        app_secret: str,
        store_id: str,
        client_ip: str = "127.0.0.1",
        connect_timeout: float = 5.0,
        timeout: float = 30.0,
        allow_insecure: bool = False,
        leave_out: Collection[str] = (),
    ) -> None:
        """Prepare a client; nothing is connected yet.

        `base_url` is where the calls are, such as https://router.wikeyun.cn/rest/ [doc]; `app_key`,
        `app_secret` and `store_id` come from the vendor [doc]; `client_ip` is our own address as we tell it
        to the platform [pub]. `connect_timeout` is for connecting including TLS, `timeout` for everything
        from the call of the method to the last byte of the answer, both in seconds, at most an hour.
        `leave_out` names system parameters that are neither sent nor signed, "client" or "format" [pub].

        Raises `ValueError` for unusable arguments, and for http:// to anything but a loopback address unless
        `allow_insecure` is set.
        """
        self._base_url = checked_base_url(base_url, allow_insecure=allow_insecure)
        self._app_key = checked_text("app_key", app_key)
        self._app_secret = checked_text("app_secret", app_secret)
        self._store_id = checked_text("store_id", store_id)
        self._client_ip = checked_text("client_ip", client_ip)
        if not (0 < connect_timeout <= MAX_TIMEOUT and 0 < timeout <= MAX_TIMEOUT):
            raise ValueError(f"timeouts must be above 0 and at most {MAX_TIMEOUT} seconds")
        if not set(leave_out) <= set(calls.OPTIONAL):
            raise ValueError(f"only these may be left out: {', '.join(calls.OPTIONAL)}")
        self._leave_out = frozenset(leave_out)
        self._transport = Transport(
            base_url=self._base_url,
            secret=app_secret,
            connect_timeout=connect_timeout,
            timeout=timeout,
        )

    def __repr__(self) -> str:
        return f"<Client {self._base_url}>"

    def close(self) -> None:
        """Close the connection that the calling thread holds open; a later call connects anew."""
        self._transport.close()

    def push_mobile_order(
        self,
        *,
        order_no: str,
        mobile: str,
        face_value: int,
        speed: Speed,
        notify_url: str,
        switch_channel: bool | None = None,
        channel: int | None = None,
    ) -> PushReceipt:
        """Order a top-up of `mobile` by `face_value` yuan under our number `order_no`. Spends money. [doc]

        The platform posts the order's progress to `notify_url`. `switch_channel` says whether it may try
        another channel on failure, None leaves that to its own setting [doc]; `channel` forces one, at its
        own price, None leaves the choice to it [doc].

        Returns the receipt with the platform's number. Raises `OutcomeUnknown` also for a success without a
        number, and for a refusal that carries one.
        """
        call = calls.push_mobile_order(
            store_id=self._store_id,
            order_no=order_no,
            mobile=mobile,
            face_value=face_value,
            speed=speed,
            notify_url=notify_url,
            switch_channel=switch_channel,
            channel=channel,
        )
        return self._perform(call, messages.read_push_receipt)

    def query_mobile_order(self, *, order_no: str | None = None, gateway_order_no: str | None = None) -> OrderReport:
        """Ask for an order by the platform's number [doc] or by ours [pub]; exactly one of them.

        The report says which order it is about: whether that is the one asked for is for the caller to check.
        """
        call = calls.query_mobile_order(order_no=order_no, gateway_order_no=gateway_order_no)
        return self._perform(call, messages.read_order_report)

    def verify_mobile(self, *, mobile: str, face_value: int, speed: Speed) -> Acknowledgement:
        """Ask whether `mobile` may be topped up by `face_value` yuan; `Rejected` means no. [pub]"""
        call = calls.verify_mobile(mobile=mobile, face_value=face_value, speed=speed)
        return self._perform(call, messages.read_acknowledgement)

    def mobile_info(self, *, mobile: str) -> MobileInfo:
        """Ask for the carriers and the region of `mobile`. [pub]"""
        return self._perform(calls.mobile_info(mobile=mobile), messages.read_mobile_info)

    def cancel_mobile_orders(self, *, gateway_order_nos: Sequence[str]) -> Acknowledgement:
        """Ask for orders to be cancelled, by the platform's numbers; a query tells whether they were. [pub]"""
        call = calls.cancel_mobile_orders(gateway_order_nos=gateway_order_nos)
        return self._perform(call, messages.read_acknowledgement)

    def account(self) -> Account:
        """Ask for the prepaid balance in yuan. [doc]"""
        return self._perform(calls.account(), messages.read_account)

    def list_orders(self, *, order_type: OrderType, start: dt.datetime, end: dt.datetime) -> Acknowledgement:
        """Ask for the shop's orders created between two moments in Beijing time, at most two hours apart. [pub]

        What the answer looks like is not known: it is in `raw` as it came, and nobody should depend on it.
        """
        call = calls.list_orders(store_id=self._store_id, order_type=order_type, start=start, end=end)
        return self._perform(call, messages.read_acknowledgement)

    def forbid_other_ways(self, *, forbid: bool) -> Acknowledgement:
        """Forbid or allow orders of the shop that don't come through the interface (禁启用非API渠道下单). [pub]

        Spends nothing, and does the same when repeated. Nothing tells which of the two holds.
        """
        call = calls.forbid_other_ways(store_id=self._store_id, forbid=forbid)
        return self._perform(call, messages.read_acknowledgement)

    def add_oil_card(
        self,
        *,
        card_number: str,
        holder_name: str,
        holder_phone: str,
        national_id: str,
        card_type: CardType | None = None,
    ) -> OilCardReceipt:
        """Register an oil card; the receipt has the platform's id of it. [doc]

        Raises `OutcomeUnknown` also for a success without an id: the card may be there nevertheless.
        """
        card = Card(card_number, holder_name, holder_phone, national_id, card_type)
        call = calls.add_oil_card(store_id=self._store_id, card=card)
        return self._perform(call, messages.read_oil_card_receipt)

    def edit_oil_card(
        self,
        *,
        card_id: str,
        card_number: str,
        holder_name: str,
        holder_phone: str,
        national_id: str,
        card_type: CardType | None = None,
    ) -> Acknowledgement:
        """Replace what the platform knows about the card `card_id`. [doc]"""
        card = Card(card_number, holder_name, holder_phone, national_id, card_type)
        return self._perform(calls.edit_oil_card(card_id=card_id, card=card), messages.read_acknowledgement)

    def delete_oil_card(self, *, card_id: str) -> Acknowledgement:
        """Remove the card `card_id`. [doc]"""
        return self._perform(calls.delete_oil_card(card_id=card_id), messages.read_acknowledgement)

    def oil_card_info(self, *, card_id: str) -> OilCard:
        """Ask for what the platform knows about the card `card_id`. [doc], its fields [pub]"""
        return self._perform(calls.oil_card_info(card_id=card_id), messages.read_oil_card)

    def push_oil_order(
        self, *, order_no: str, card_id: str, face_value: int, speed: Speed, notify_url: str
    ) -> PushReceipt:
        """Order a top-up of the card `card_id` by `face_value` yuan under our `order_no`. Spends money. [doc]

        The document wants `Speed.SLOW` for now. Returns and raises as `push_mobile_order` does.
        """
        call = calls.push_oil_order(
            store_id=self._store_id,
            order_no=order_no,
            card_id=card_id,
            face_value=face_value,
            speed=speed,
            notify_url=notify_url,
        )
        return self._perform(call, messages.read_push_receipt)

    def query_oil_order(self, *, order_no: str | None = None, gateway_order_no: str | None = None) -> OrderReport:
        """Ask for an order by the platform's number or by ours; exactly one of them. [pub]

        The call is not in the document: `means_no_such_call` tells whether a refusal says that it is missing.
        """
        call = calls.query_oil_order(order_no=order_no, gateway_order_no=gateway_order_no)
        return self._perform(call, messages.read_order_report)

    def cancel_oil_orders(self, *, gateway_order_nos: Sequence[str]) -> Acknowledgement:
        """Ask for orders to be cancelled, by the platform's numbers; a query tells whether they were. [pub]"""
        call = calls.cancel_oil_orders(gateway_order_nos=gateway_order_nos)
        return self._perform(call, messages.read_acknowledgement)

    def _perform(self, call: Call, read: Callable[[Answer], Result]) -> Result:
        started = time.monotonic()
        outcome = "OutcomeUnknown"
        try:
            result = self._result(call, read)
            outcome = "answered"
            return result
        except GatewayError as error:
            outcome = type(error).__name__
            raise
        finally:
            seconds = time.monotonic() - started
            # The caller keeps the answer; with many threads, a line for each would add a quarter to the call's cost.
            level = logging.DEBUG if outcome == "answered" else logging.INFO
            logger.log(level, "%s %s in %.3f s %s", call.endpoint, outcome, seconds, call.order_no)

    def _result(self, call: Call, read: Callable[[Answer], Result]) -> Result:
        body = self._post(call)
        try:
            return read(messages.read_answer(parsing.decode(body), spends=call.spends))
        except parsing.Malformed as malformed:
            reason = f"the answer cannot be read: {malformed}"
        raise OutcomeUnknown(reason, parsing.printable_raw(body, messages.RAW_LIMIT))

    def _post(self, call: Call) -> bytes:
        system = calls.system_parameters(
            app_key=self._app_key,
            client_ip=self._client_ip,
            timestamp=int(time.time()),
            leave_out=self._leave_out,
        )
        signature = sign(self._app_secret, {**system, **call.parameters})
        return self._transport.post(
            call.endpoint,
            query=urlencode(calls.signed(system, signature)),
            body=urlencode(call.parameters).encode("ascii"),
            spends=call.spends,
        )
