<?php

declare(strict_types=1);

namespace Bitpro;

/** An answer came that the server has not signed: it may be of anyone, so it is not shown. */
final class UnverifiedAnswerException extends BitproException
{
    /** @param bool $forged whether it has a signature, which is not the server's */
    public function __construct(public readonly int $status, public readonly bool $forged = false)
    {
        parent::__construct("the answer (status $status) is not signed by the server", $status);
    }
}
