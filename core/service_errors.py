"""What can go wrong with the HTTP service: a request that is refused, and a service that cannot start.

Part of the tree in core/errors.

::

    YomitoriError
    ├── RequestRefused             what was sent is not taken; the request can be changed
    │   ├── RequestInvalid         it is not what the operation takes
    │   │   ├── FieldUnknown       of a form
    │   │   ├── FieldRepeated
    │   │   ├── NotInAddress
    │   │   └── FileExpected       text came, such as the name of a file
    │   ├── PathUnknown
    │   ├── MethodUnknown
    │   ├── BodyTooLarge           told before it is looked at
    │   ├── BodyTooSlow
    │   ├── HostNotAllowed         it was sent to a name that this service does not go by
    │   ├── OriginNotAllowed       a web page sent it that may not
    │   ├── TokenWrong             no token came, or another one
    │   ├── TokenNotSet            it needs a token, and the service has none
    │   ├── LanguageNotRead
    │   ├── TooManyPictures
    │   ├── TooManyFrames          told before any is decoded
    │   ├── PromptTooLong
    │   ├── PictureUrlInvalid
    │   │   └── PictureUrlCut      a data: URL without its data
    │   ├── PictureHostNotAllowed  nothing was sent there
    │   ├── PictureTooHeavy        what comes from an image_url
    │   ├── InvalidValue           these four have the names of OpenAI's codes
    │   ├── UnsupportedParameter
    │   ├── UnknownParameter
    │   ├── ModelNotFound
    │   └── NoDownload
    ├── DeadlinePassed             retryable: it took longer than requests may
    ├── ServiceStopping            retryable: it is being shut down
    ├── AnswerChanged              retryable: what was told of an answer already is no part of it any more
    ├── PictureNotFetched          retryable: the server of an image_url does not give it
    │   └── PictureTooSlow
    └── ServiceEnded               the tray started it, and it ends again and again
    UsageError
    ├── TokenRequired              another address than loopback, and no token
    ├── TokenUnusable              the file with the token, or what is in it
    ├── EnvFileUnusable
    ├── AddressUnusable            the service cannot listen there
    └── PartsMissing               a library that only the service needs

No parameter ever holds a token or what was sent.
"""

from __future__ import annotations

from core.errors import UsageError, YomitoriError


class RequestRefused(YomitoriError):
    sentence = "The request is not taken: {reason}."
    hint = "/docs shows what each operation takes."
    exit_code = 2
    http_status = 400


class RequestInvalid(RequestRefused):
    sentence = "The request cannot be used: {reason}."
    http_status = 422


class FieldUnknown(RequestInvalid):
    sentence = "There is no field {field} here."
    hint = "The fields there are: {known}."


class NotInAddress(RequestInvalid):
    sentence = "The field {field} stands in the address, where it is not looked for."
    hint = "Send it in the form. With curl: -F {field}=..."


class FieldRepeated(RequestInvalid):
    sentence = "The field {field} came more than once."
    hint = "Send it once. For several pictures there are the paths below /batch."


class FileExpected(RequestInvalid):
    sentence = "The field {field} has to be a file, and text came."
    hint = "With curl the name of a file stands after an @: curl -F {field}=@page.png"


class PathUnknown(RequestRefused):
    sentence = "There is nothing at this path."
    hint = "/docs shows every path there is."
    http_status = 404


class MethodUnknown(RequestRefused):
    sentence = "This path does not take {method}."
    hint = "It takes {allowed}; /docs shows every path there is."
    http_status = 405


class BodyTooLarge(RequestRefused):
    sentence = "The request is larger than {limit} MB."
    hint = "Send fewer or smaller pictures, or have the operator raise the setting service.body_mb."
    http_status = 413


class BodyTooSlow(RequestRefused):
    sentence = "The request did not arrive within {seconds} s."
    hint = "Send it again over a better connection, or send a smaller picture."
    http_status = 408
    retryable = True


class HostNotAllowed(RequestRefused):
    sentence = "This service does not go by the name that the request was sent to."
    hint = "Ask it as localhost, or have the operator add the name to the setting service.allowed_hosts."
    http_status = 421


class OriginNotAllowed(RequestRefused):
    sentence = "Requests from this web page are not taken."
    hint = "Have the operator add its origin to the setting service.cors_origins."
    http_status = 403


class TokenWrong(RequestRefused):
    sentence = "This needs the token of the service."
    hint = (
        "Send it as 'Authorization: Bearer TOKEN'. Where it is kept: 'yomitori serve' says so at its start, "
        "the tray in Settings, Service."
    )
    http_status = 401


class TokenNotSet(RequestRefused):
    sentence = "This needs a token, and the service has none."
    hint = "Make one with 'yomitori serve --new-token', and start the service again."
    http_status = 403


class DeadlinePassed(YomitoriError):
    sentence = "It was not done within {seconds} s, and was given up."
    hint = "Ask for less at once, or have the operator raise the setting service.deadline."
    http_status = 504
    retryable = True


class ServiceStopping(YomitoriError):
    sentence = "The service is being shut down, and this was not done any more."
    hint = "Send it again when the service is back."
    http_status = 503
    retryable = True


class TokenRequired(UsageError):
    sentence = "At {host} other computers can reach the service, and there is no token to ask them for."
    hint = (
        "Make one with 'yomitori serve --new-token', or name a file that holds one in "
        "YOMITORI_SERVICE_TOKEN_FILE."
    )


class TokenUnusable(UsageError):
    sentence = "The token in {path} cannot be used: {reason}."
    hint = "Make a new one with 'yomitori serve --new-token', or name another file."


class EnvFileUnusable(UsageError):
    sentence = "{path} cannot be used: {reason}."
    hint = "It has a line NAME=value for each variable."


class AddressUnusable(UsageError):
    sentence = "The service cannot listen at {host}, port {port}: {reason}."
    hint = "Choose another address or port (--host, --port), or end the program that listens there."


class PartsMissing(UsageError):
    sentence = "The HTTP service needs {name}, which is not installed."
    hint = "Install what it needs: 'pip install -r requirements-service.txt'."


class ServiceEnded(YomitoriError):
    sentence = "The HTTP service ended unexpectedly: {reason}."
    hint = "{log} tells what happened. Switch the service off and on to start it again."


# ---- pictures, languages and models, as requests name them


class LanguageNotRead(RequestRefused):
    sentence = "{language} is not a language that can be read here."
    hint = "Those that can: {known}."
    http_status = 422


class TooManyPictures(RequestRefused):
    sentence = "The request has {count} pictures, at most {limit} are taken at once."
    hint = "Send them in several requests."
    http_status = 413


class TooManyFrames(RequestRefused):
    sentence = "{name} has more than {limit} frames or pages."
    hint = "Send the frames that matter as pictures of their own."
    http_status = 413


class PromptTooLong(RequestRefused):
    sentence = "The question with its history has {count} characters, at most {limit} are taken."
    hint = "Leave out earlier turns, or ask about less text."
    http_status = 413


class PictureUrlInvalid(RequestRefused):
    sentence = "The image_url cannot be used: {reason}."
    hint = "It looks like data:image/png;base64,... or https://host/page.png."
    http_status = 422


class PictureUrlCut(PictureUrlInvalid):
    sentence = "The image_url is a data: URL that ends before its data."
    hint = "curl -F cuts a field at a semicolon: use --form-string for it, or send the file itself."


class PictureHostNotAllowed(RequestRefused):
    sentence = "{host} is not asked for pictures: {reason}."
    hint = (
        "Send the picture itself or as a data: URL, or have the operator add the host to the setting "
        "service.image_hosts."
    )
    http_status = 403


class PictureTooHeavy(RequestRefused):
    sentence = "The picture from {host} is larger than {limit} MB."
    hint = "Name a smaller one, or have the operator raise the setting service.body_mb."
    http_status = 413


class PictureNotFetched(YomitoriError):
    sentence = "The picture could not be fetched from {host}: {reason}."
    hint = "Check the address, or send the picture itself."
    http_status = 502
    retryable = True


class PictureTooSlow(PictureNotFetched):
    sentence = "The picture from {host} did not arrive within {seconds} s."
    http_status = 504


class NoDownload(RequestRefused):
    sentence = "No download of {model} was started."
    hint = "Start it with POST /models/{model}/download."
    http_status = 404


# ---- the interface that OpenAI's clients speak


class InvalidValue(RequestRefused):
    sentence = "{param} cannot be used: {reason}."


class UnsupportedParameter(RequestRefused):
    sentence = "{param} is not supported: {reason}."
    hint = "Leave it out."


class UnknownParameter(RequestRefused):
    sentence = "There is no parameter {param}."
    hint = "Leave it out; /docs shows those there are."


class ModelNotFound(RequestRefused):
    sentence = "No model of the name that was given answers here."
    hint = "The one that does is called {served}; “default” always means it."
    http_status = 404


class AnswerChanged(YomitoriError):
    sentence = "The device failed within the answer, and on another one it goes differently."
    hint = "Ask again; what came so far is the beginning of another answer."
    http_status = 503
    retryable = True


ON_THE_DESKTOP = (UsageError, ServiceEnded)
"""Those that may be read in the tray. All others are told to programs, in English."""
