"""The four patterns of a journey, driven from start to end by plain user answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TEXT = {"type": "string"}


@pytest.fixture
def onboarding(journey: Any, tool: Callable[..., Any]) -> Any:
    def save_name(state: dict[str, Any], name: str) -> str:
        state.update(name=name, step="collect_email")
        return f"Great, {name}! Now, what's your email?"

    def save_email(state: dict[str, Any], email: str) -> str:
        state.update(email=email, step="complete", is_complete=True)
        return f"Perfect! You're all set, {state['name']}!"

    name = tool("save_name", "Save the user's name", name={**TEXT, "description": "The user's name"})
    email = tool("save_email", "Save the user's email", email={**TEXT, "description": "The user's email"})
    return journey(
        {
            "welcome": ("Welcome! Ask for the user's name.", []),
            "collect_name": ("Collect the user's name using save_name tool.", [name]),
            "collect_email": ("Collect the user's email using save_email tool.", [email]),
            "complete": ("Thank the user for completing onboarding.", []),
        },
        {"save_name": save_name, "save_email": save_email},
        {"step": "welcome"},
    )


@pytest.mark.parametrize(
    "said",
    [
        ["hi", "Ada", "ada@example.org"],
        ["Hello!", "My name is Ada.", "it's ada@example.org"],
        ["Ada", "ada@example.org"],
        ["hi", "what is this?", "hello?", "Ada", "why?", "no", "ada@example.org, thanks"],
        ["hi", "I'm Ada, ada@example.org"],
        ["I would like to sign up", "Ada", "My email address is ada@example.org"],
    ],
)
def test_the_quick_start_arrives_with_plain_answers(onboarding: Any, said: list[str]) -> None:
    # When
    answers = [onboarding.say(text) for text in said]

    # Then
    assert onboarding.state["step"] == "complete"
    assert (onboarding.state["name"], onboarding.state["email"]) == ("Ada", "ada@example.org")
    assert answers[-1].endswith("Perfect! You're all set, Ada! Thank you for completing onboarding.")


def test_the_quick_start_reads_like_a_conversation(onboarding: Any) -> None:
    # When
    answers = [onboarding.say(text) for text in ("hi", "Ada", "ada@example.org", "thanks")]

    # Then
    assert answers == [
        "Welcome! What is your name?",
        "Great, Ada! Now, what's your email?",
        "Perfect! You're all set, Ada! Thank you for completing onboarding.",
        "Thank you for completing onboarding.",
    ]


@pytest.fixture
def quote(journey: Any, tool: Callable[..., Any]) -> Any:
    def choose_type(state: dict[str, Any], type: str) -> str:
        state.update(type=type, step=type)
        return f"{type.capitalize()} insurance it is."

    def save_car(state: dict[str, Any], make: str, year: int) -> str:
        state.update(make=make, year=year, step="confirm")
        return f"A {make} of {year} costs 320 pounds a year."

    def save_home(state: dict[str, Any], kind: str, area: float) -> str:
        state.update(kind=kind, area=area, step="confirm")
        return f"A {kind} of {area} square metres costs 210 pounds a year."

    def accept_quote(state: dict[str, Any], accept: bool) -> str:
        state.update(accepted=accept, step="done", is_complete=True)
        return "You are insured." if accept else "No harm done, the quote is dropped."

    return journey(
        {
            "choose": (
                "Greet the user. Ask whether they want car or home insurance, then call choose_type.",
                [tool("choose_type", "Choose what to insure", type={**TEXT, "enum": ["car", "home"]})],
            ),
            "car": (
                "Ask for the make and year of the car. Use save_car.",
                [
                    tool(
                        "save_car",
                        "Save the car",
                        make={**TEXT, "description": "The make of the car"},
                        year={"type": "integer", "description": "The year it was built", "minimum": 1900},
                    )
                ],
            ),
            "home": (
                "Ask whether the user has a house or a flat, and how large it is. Use save_home.",
                [
                    tool(
                        "save_home",
                        "Save the home",
                        kind={**TEXT, "enum": ["house", "flat"]},
                        area={"type": "number", "description": "The area in square metres"},
                    )
                ],
            ),
            "confirm": (
                "Ask if the user accepts the quote.",
                [tool("accept_quote", "Accept or drop the quote", accept={"type": "boolean"})],
            ),
            "done": ("Say goodbye.", []),
        },
        {"choose_type": choose_type, "save_car": save_car, "save_home": save_home, "accept_quote": accept_quote},
        {"step": "choose"},
    )


@pytest.mark.parametrize(
    ("said", "reached"),
    [
        (["hi", "car", "Toyota", "2020", "yes"], {"make": "Toyota", "year": 2020, "accepted": True}),
        (["car please", "It's a Ford Focus from 2015", "no"], {"make": "Ford Focus", "year": 2015, "accepted": False}),
        (
            ["I need home insurance", "a flat of 80 square metres", "sure"],
            {"kind": "flat", "area": 80, "accepted": True},
        ),
        (["home", "house", "what?", "120.5", "I don't accept"], {"kind": "house", "area": 120.5, "accepted": False}),
        (
            ["hm", "car", "Toyota", "1066", "2020", "maybe", "yes please"],
            {"make": "Toyota", "year": 2020, "accepted": True},
        ),
    ],
)
def test_a_branching_quote_arrives_on_either_branch(quote: Any, said: list[str], reached: dict[str, Any]) -> None:
    # When
    for text in said:
        quote.say(text)

    # Then
    assert quote.state["step"] == "done"
    assert {name: quote.state[name] for name in reached} == reached


def test_a_choice_is_not_taken_for_an_answer_to_the_next_step(quote: Any) -> None:
    # When
    answer = quote.say("car")

    # Then
    assert quote.called == [("choose_type", {"type": "car"})]
    assert answer == "Car insurance it is. What are the make and year of the car?"


@pytest.fixture
def cart(journey: Any, tool: Callable[..., Any]) -> Any:
    def add_item(state: dict[str, Any], item: str, quantity: int = 1) -> str:
        state["items"][item] = state["items"].get(item, 0) + quantity
        return f"Added {quantity} x {item}. Anything else?"

    def remove_item(state: dict[str, Any], item: str) -> str:
        return (
            f"Removed {item}. Anything else?" if state["items"].pop(item, None) else f"There is no {item} in the cart."
        )

    def checkout(state: dict[str, Any]) -> str:
        state.update(step="done", is_complete=True)
        return f"Ordered: {', '.join(state['items'])}."

    return journey(
        {
            "shopping": (
                "Ask what the user wants to buy. Use add_item for each thing, and checkout when they are done.",
                [
                    tool(
                        "add_item",
                        "Add something to the cart",
                        required=["item"],
                        item={**TEXT, "description": "What to add"},
                        quantity={"type": "integer", "default": 1, "minimum": 1},
                    ),
                    tool(
                        "remove_item", "Take something out of the cart", item={**TEXT, "description": "What to remove"}
                    ),
                    tool("checkout", "Finish the order and pay"),
                ],
            ),
            "done": ("Thank the user for the order.", []),
        },
        {"add_item": add_item, "remove_item": remove_item, "checkout": checkout},
        {"step": "shopping", "items": {}},
    )


@pytest.mark.parametrize(
    ("said", "items"),
    [
        (["hi", "apples", "2 pears", "no, that's all"], {"apples": 1, "pears": 2}),
        (["I'd like 3 apples", "yes", "milk", "checkout"], {"apples": 3, "milk": 1}),
        (["add two apples and 3 pears", "done"], {"apples": 2, "pears": 3}),
        (["apples", "add another", "pears", "remove the apples", "no"], {"pears": 1}),
        (["a dozen eggs, please", "what else?", "no thanks"], {"eggs": 12}),
        (["bread", "yes, 2 bottles of milk", "I'd like to check out now"], {"bread": 1, "bottles of milk": 2}),
    ],
)
def test_a_looping_cart_fills_and_checks_out(cart: Any, said: list[str], items: dict[str, int]) -> None:
    # When
    for text in said:
        cart.say(text)

    # Then
    assert cart.state["items"] == items
    assert cart.state["step"] == "done"


@pytest.fixture
def shop(journey: Any, tool: Callable[..., Any]) -> Any:
    def add_item(state: dict[str, Any], item: str, quantity: int) -> str:
        if quantity > 20:
            return f"You can have 1 to 20 x {item}, so not {quantity}."
        state["items"][item] = quantity
        return f"In your cart: {quantity} x {item}."

    def check_out(state: dict[str, Any]) -> str:
        state.update(step="done", is_complete=True)
        return "Ordered."

    wares = {**TEXT, "enum": ["apples", "bread"]}
    add = tool("add_item", item=wares, quantity={"type": "integer", "description": "How many"})
    return journey(
        {
            "shopping": ("Ask whether they would like anything else.", [add, tool("check_out")]),
            "done": ("Thank the user.", []),
        },
        {"add_item": add_item, "check_out": check_out},
        {"step": "shopping", "items": {}},
    )


@pytest.mark.parametrize("no", ["no", "oh no, sorry", "never mind", "none"])
def test_no_to_how_many_drops_the_thing_and_goes_on(shop: Any, no: str) -> None:
    # When
    answers = [shop.say(text) for text in ("2 bread", "apples", no, "no")]

    # Then
    assert answers[1:3] == ["How many?", "Would you like anything else?"]
    assert shop.state == {"step": "done", "items": {"bread": 2}, "is_complete": True}


@pytest.mark.parametrize(("said", "items"), [(["5", "no"], {"apples": 5}), (["no", "1 bread", "no"], {"bread": 1})])
def test_a_number_that_was_turned_down_is_said_again_or_dropped(
    shop: Any, said: list[str], items: dict[str, int]
) -> None:
    # When
    refused, *_ = [shop.say(text) for text in ("99 apples", *said)]

    # Then
    assert refused == "You can have 1 to 20 x apples, so not 99. How many? (a whole number)"
    assert (shop.state["items"], shop.state["step"]) == (items, "done")


@pytest.fixture
def order(journey: Any, tool: Callable[..., Any]) -> Any:
    def look_up_order(state: dict[str, Any], order_number: str) -> str:
        state["attempts"] += 1
        if order_number != "AB-1234":
            return f"Order {order_number} was not found. Please check the number."
        if state["attempts"] < 3:
            return "Error executing look_up_order: the order system did not answer"
        state.update(step="done", is_complete=True)
        return "Order AB-1234 was sent yesterday."

    def give_up(state: dict[str, Any]) -> str:
        state.update(step="done", is_complete=True, gave_up=True)
        return "A person will write to you."

    return journey(
        {
            "look_up": (
                "Ask for the order number. Use look_up_order. If it fails, offer to try again or to give up.",
                [
                    tool(
                        "look_up_order",
                        "Look up an order",
                        order_number={**TEXT, "pattern": r"^[A-Z]{2}-\d{4}$", "description": "The order number"},
                    ),
                    tool("give_up", "Stop trying and hand over to a person"),
                ],
            ),
            "done": ("Wish the user a good day.", []),
        },
        {"look_up_order": look_up_order, "give_up": give_up},
        {"step": "look_up", "attempts": 0},
    )


@pytest.mark.parametrize(
    ("said", "attempts", "gave_up"),
    [
        (["hi", "AB-1234", "try again", "again"], 3, False),
        (["my order is ab-1234", "AB-1234", "please try again"], 3, False),
        (["XY-0000", "AB-1234", "what?", "yes, try again"], 3, False),
        (["AB-1234", "give up"], 1, True),
        (["AB-1234", "try it again", "never mind"], 2, True),
    ],
)
def test_a_flaky_backend_is_tried_again_or_given_up(order: Any, said: list[str], attempts: int, gave_up: bool) -> None:
    # When
    for text in said:
        order.say(text)

    # Then
    assert (order.state["step"], order.state["attempts"], order.state.get("gave_up", False)) == (
        "done",
        attempts,
        gave_up,
    )


def test_a_failure_is_said_in_plain_words_and_not_repeated_unasked(order: Any) -> None:
    # When
    answer = order.say("AB-1234")

    # Then
    assert order.state["attempts"] == 1
    assert answer == "That did not work: the order system did not answer. What is the order number?"


def saves(following: str, words: str) -> Callable[..., str]:
    """A tool that keeps its arguments, says something and goes on to the next step."""

    def save(state: dict[str, Any], **arguments: Any) -> str:
        state.update(arguments, step=following)
        return words.format(**arguments)

    return save


@pytest.fixture
def booking(journey: Any, tool: Callable[..., Any]) -> Any:
    return journey(
        {
            "start": ("Greet the user and ask what they need.", []),
            "intent": (
                "Find out whether the user wants to book or cancel an appointment.",
                [tool("choose_intent", "What the user wants to do", intent={**TEXT, "enum": ["book", "cancel"]})],
            ),
            "date": ("Ask for the date of the appointment.", [tool("save_date", date={**TEXT, "format": "date"})]),
            "time": ("Ask at what time they would like to come.", [tool("save_time", time={**TEXT, "format": "time"})]),
            "who": ("Ask for their name and phone number.", [tool("save_contact", name=TEXT, phone=TEXT)]),
            "confirm": (
                "Ask the user to confirm the booking.",
                [tool("confirm_booking", "Confirm the booking"), tool("start_over", "Start over")],
            ),
            "done": ("Thank the user.", []),
        },
        {
            "choose_intent": saves("date", "You want to {intent} an appointment."),
            "save_date": saves("time", "On {date}."),
            "save_time": saves("who", "At {time}."),
            "save_contact": saves("confirm", "Got it, {name}."),
            "confirm_booking": saves("done", "Booked."),
            "start_over": saves("intent", "From the beginning, then."),
        },
        {"step": "start"},
    )


@pytest.mark.parametrize(
    "said",
    [
        ["hi", "I'd like to book an appointment", "3 May 2026", "at 3pm", "Ada, 020 7946 0958", "yes"],
        ["hello", "I want to book an appointment for 3 May 2026 at 3pm", "Ada", "020 7946 0958", "confirm"],
        ["hi", "cancel", "4 May 2026", "noon", "Bob", "020 7946 0000", "start over", "book", "3/5/2026", "15:00",
         "I'm Ada, my number is 020 7946 0958", "yes please"],
    ],
)  # fmt: skip
def test_what_was_said_ahead_is_not_asked_for_again(booking: Any, said: list[str]) -> None:
    # When
    answers = [booking.say(text) for text in said]

    # Then
    assert booking.state == {
        "step": "done", "intent": "book", "date": "2026-05-03", "time": "15:00:00Z", "name": "Ada",
        "phone": "020 7946 0958",
    }  # fmt: skip
    assert answers[-1] == "Booked. Thank you."


@pytest.fixture
def claim(journey: Any, tool: Callable[..., Any]) -> Any:
    policy = {**TEXT, "pattern": "^POL-[0-9]{5}$", "description": "The policy number, e.g. POL-12345"}
    return journey(
        {
            "policy": ("You handle claims. Be kind. Collect the policy number.", [tool("save_policy", number=policy)]),
            "incident": (
                "Ask what happened and when. Then call save_incident.",
                [
                    tool(
                        "save_incident",
                        description={**TEXT, "description": "What happened"},
                        date={**TEXT, "format": "date", "description": "When it happened"},
                    )
                ],
            ),
            "injured": (
                "Tell the user that this is the last question. Ask whether anybody was injured.",
                [tool("save_injuries", injured={"type": "boolean"})],
            ),
            "done": ("Tell the user that their claim has been filed.", []),
        },
        {
            "save_policy": saves("incident", "Thank you."),
            "save_incident": saves("injured", "I am sorry to hear that."),
            "save_injuries": saves("done", "All right."),
        },
        {"step": "policy"},
    )


@pytest.mark.parametrize(
    "said",
    [
        ["I had an accident", "pol-12345", "A tree fell on my car on 3 May 2026.", "no, nobody was"],
        ["My policy is POL-12345", "A tree fell on my car on 3 May 2026.", "no"],
    ],
)
def test_a_story_is_kept_in_the_users_own_words(claim: Any, said: list[str]) -> None:
    # When
    answers = [claim.say(text) for text in said]

    # Then
    assert claim.state["description"] == "A tree fell on my car on 3 May 2026."
    assert (claim.state["date"], claim.state["injured"], claim.state["step"]) == ("2026-05-03", False, "done")
    assert answers[-2:] == [
        "I am sorry to hear that. This is the last question. Was anybody injured? (yes/no)",
        "All right. Your claim has been filed.",
    ]


@pytest.fixture
def router(journey: Any, tool: Callable[..., Any]) -> Any:
    return journey(
        {
            "light": ("Ask whether the light is on.", [tool("light_is_on"), tool("light_is_off")]),
            "restart": (
                "Tell the user to restart the router. Ask if it works now.",
                [tool("problem_solved", "It works now"), tool("escalate", "Hand over to a person")],
            ),
            "done": ("Say goodbye.", []),
        },
        {
            "light_is_on": saves("restart", "Good."),
            "light_is_off": saves("restart", "Plug it in first."),
            "problem_solved": saves("done", "Great!"),
            "escalate": saves("done", "A person will call you."),
        },
        {"step": "light"},
    )


@pytest.mark.parametrize(
    ("said", "calls"),
    [
        (["hi", "yes", "yes"], ["light_is_on", "problem_solved"]),
        (["my internet is broken", "no", "no"], ["light_is_off", "escalate"]),
        (["hi", "it is on", "what?", "it works now"], ["light_is_on", "problem_solved"]),
    ],
)
def test_yes_and_no_answer_the_question_that_was_put(router: Any, said: list[str], calls: list[str]) -> None:
    # When
    for text in said:
        router.say(text)

    # Then
    assert [name for name, _ in router.called] == calls
