<?php

declare(strict_types=1);

namespace Bitpro;

/** No answer came. Whether the request was carried out is not known: ask again with the same idempotency key. */
final class ConnectionException extends BitproException
{
}
