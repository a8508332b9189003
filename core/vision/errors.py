"""What can go wrong with a server that is asked, and with keeping its key. Part of the tree in core/errors.

::

    SettingsError
    └── RemoteAddressInvalid       what was typed is no address of a server
    ModelError
    └── RemoteError                a server could not do its work, or was not asked
        ├── RemoteUnreachable      retryable: no such name, nothing listens, no answer at all
        ├── RemoteUntrusted        its certificate is not to be trusted; nothing was sent
        ├── RemoteNotSecure        a key would go over the network unencrypted; nothing was sent
        ├── RemoteKeyUnusable      the key cannot be sent in a header; nothing was sent
        ├── RemoteElsewhere        it is not on this computer, as was told before; nothing was sent
        ├── RemoteRedirected       it points to another origin, which was not asked
        ├── RemoteRefused          it wants another key, or one at all
        ├── RemoteModelMissing     it has no such model
        ├── RemotePathWrong        there is no such service at that address
        ├── RemoteNotUnderstood    what came is not what such a server sends
        ├── RemoteBusy             retryable: too many questions
        │   └── RemoteAsksToWait   and it tells for how long
        ├── RemoteTooLarge         the question is larger than it takes
        ├── RemoteRejected         it says why it cannot answer this
        ├── RemoteFailed           retryable: it says what went wrong there
        ├── RemoteStalled          retryable: nothing for too long
        └── RemoteEndedEarly       retryable: it broke off; what had arrived is kept
    BackendError
    └── KeyringUnavailable         no keyring that could keep a key, or it is locked

``{host}`` is the server as the user knows it (``localhost:8000``). No parameter ever holds a key.
"""

from __future__ import annotations

from core.errors import BackendError, ModelError, SettingsError


class RemoteAddressInvalid(SettingsError):
    sentence = "{address} cannot be the address of a server: {reason}."
    hint = "It looks like http://localhost:8000/v1."


class RemoteError(ModelError):
    sentence = "{host} could not be asked: {reason}."
    hint = "The log has the details."
    http_status = 502


class RemoteUnreachable(RemoteError):
    sentence = "{host} could not be reached: {reason}."
    hint = "Check that the server runs, and that its address and port are right."
    retryable = True


class RemoteUntrusted(RemoteError):
    sentence = "The certificate of {host} is not to be trusted: {reason}."
    hint = "Nothing was sent. The system's list of trusted certificates must know who has signed it."


class RemoteNotSecure(RemoteError):
    sentence = "The key is not sent to {host}, since the connection is not encrypted."
    hint = "Use an address that begins with https://, or remove the key if the server needs none."
    http_status = 422


class RemoteKeyUnusable(RemoteError):
    sentence = "The key for {host} holds characters that no key has."
    hint = "Copy it again, without spaces or line breaks."
    http_status = 422


class RemoteElsewhere(RemoteError):
    sentence = "{host} was on this computer a moment ago and now leads to another one."
    hint = "Nothing was sent. Check the address of the server in the settings."


class RemoteRedirected(RemoteError):
    sentence = "{host} sends on to {target}, which was not asked."
    hint = "If you trust that server, set its address in the settings."


class RemoteRefused(RemoteError):
    sentence = "{host} asks for a key, or does not accept the one it got."
    hint = "Check the key of the server in the settings."


class RemoteModelMissing(RemoteError):
    sentence = "{host} has no model called {model}."
    hint = "The Test button in the settings shows the models it has."


class RemotePathWrong(RemoteError):
    sentence = "There is nothing that answers questions at {url}."
    hint = "Check the address: it usually ends with /v1, as in http://localhost:8000/v1."


class RemoteNotUnderstood(RemoteError):
    sentence = "The answer of {host} cannot be understood: {reason}."
    hint = "Check the address (http or https, the port, the /v1 at its end) and what runs there."


class RemoteBusy(RemoteError):
    sentence = "{host} has too much to do at the moment."
    hint = "Wait for a moment and ask again."
    http_status = 503
    retryable = True


class RemoteAsksToWait(RemoteBusy):
    sentence = "{host} asks to wait for {seconds} s before the next question."
    hint = "Ask again after that."


class RemoteTooLarge(RemoteError):
    sentence = "The question with its pictures is larger than {host} accepts."
    hint = "Ask about fewer or smaller pictures, or raise the limit of the server."
    http_status = 413


class RemoteRejected(RemoteError):
    sentence = "{host} cannot answer this: {reason}."
    hint = "Its model may take fewer pictures or none, or the conversation may be too long for it."
    http_status = 422


class RemoteFailed(RemoteError):
    sentence = "{host} failed: {reason}."
    hint = "Ask again. If that does not help, the log of the server tells more."
    retryable = True


class RemoteStalled(RemoteError):
    sentence = "Nothing came from {host} for {seconds} s."
    hint = "Ask again, or look whether the server still works."
    http_status = 504
    retryable = True


class RemoteEndedEarly(RemoteError):
    sentence = "{host} broke off its answer."
    hint = "What had arrived is kept. Ask again for the whole answer."
    retryable = True


class KeyringUnavailable(BackendError):
    sentence = "The key cannot be kept in the system's keyring: {reason}."
    hint = (
        "Unlock the keyring, or install one such as GNOME Keyring or KWallet. Without one, set the "
        "environment variable YOMITORI_REMOTE_KEY to the key."
    )
