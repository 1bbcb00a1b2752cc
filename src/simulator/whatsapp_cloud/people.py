"""Who the users are: number, business-scoped id, and when each last wrote. Bounded."""

from __future__ import annotations

from collections import OrderedDict

from simulator.whatsapp_cloud.payloads import Person, business_scoped_id

WINDOW_SECONDS = 24 * 3600.0
MOST_PEOPLE = 500_000


def digits_of(number: str) -> str:
    """The number without plus, spaces and dashes."""
    return number if number.isdigit() else "".join(each for each in number if each.isdigit())


class People:
    """The users of one business number."""

    def __init__(self, waba_id: str, *, country_code: str, user_ids: bool) -> None:
        self._waba_id = waba_id
        self._country_code = country_code
        self._user_ids = user_ids
        self._by_key: OrderedDict[str, Person] = OrderedDict()  # by number and by user id
        self._wrote: OrderedDict[str, float] = OrderedDict()

    def meet(
        self, from_: str | None, user_id: str | None = None, name: str | None = None, username: str | None = None
    ) -> Person:
        """The person behind a number, a user id, or both; remembered for replies."""
        if from_ is not None and from_.startswith("ID."):
            from_, user_id = None, from_
        wa_id = digits_of(from_) if from_ else None
        if wa_id is None and user_id is None:
            raise ValueError("a person needs a number or a user id")
        if user_id is None and wa_id is not None and self._user_ids:
            user_id = business_scoped_id(wa_id, self._waba_id)
        person = Person(wa_id, user_id, name, username)
        for key in (wa_id, user_id):
            if key is not None:
                self._by_key[key] = person
                self._by_key.move_to_end(key)
        while len(self._by_key) > MOST_PEOPLE:
            self._by_key.popitem(last=False)
        return person

    def wrote(self, person: Person, at: float) -> None:
        """Opens or renews the window of this person."""
        known = self._wrote.pop(person.key, 0.0)
        self._wrote[person.key] = max(at, known)
        while len(self._wrote) > MOST_PEOPLE:
            self._wrote.popitem(last=False)

    def close_window(self, user: str | None = None) -> None:
        """Closes the window of one user, or of all."""
        if user is None:
            self._wrote.clear()
        else:
            self._wrote.pop(self.find(to=user).key, None)

    def window_open(self, person: Person, now: float) -> bool:
        """True within 24 h of the person's last message."""
        return now - self._wrote.get(person.key, float("-inf")) < WINDOW_SECONDS

    def find(self, *, to: str | None = None, recipient: str | None = None) -> Person:
        """Whom the business means; `to` wins, and without a plus the business's country code is prepended."""
        if to:
            wa_id = digits_of(to)
            if not to.lstrip().startswith("+") and not to.startswith("ID."):
                wa_id = self._country_code + wa_id
            elif to.startswith("ID."):
                wa_id = to
            person = self._by_key.get(wa_id)
            return person if person is not None else Person(wa_id, None)
        assert recipient
        person = self._by_key.get(recipient)
        return person if person is not None else Person(None, recipient)
