<?php

declare(strict_types=1);

namespace Bitpro;

/** What can go wrong: every exception of this package is one. */
class BitproException extends \RuntimeException
{
}
