<?php

declare(strict_types=1);

namespace Bitpro;

/** The server has refused. Branch on `problem_code`, which is stable; the message may change. */
final class ApiException extends BitproException
{
    /** What is wrong, in kebab-case, as in `out-of-bounds`. */
    public readonly string $problem_code;
    public readonly string $title;
    /** Names the request: quote it to the operator. */
    public readonly ?string $request_id;
    /** The field or parameter that is wrong. */
    public readonly ?string $field;

    /**
     * @param array<string, mixed> $problem the whole document, with members that only some problems have
     * @param ?int $retry_after when to come back, in seconds
     * @param bool $signed whether the server vouches for the answer; it cannot where it does not know the key, as for `signature-invalid`
     */
    public function __construct(
        public readonly int $status,
        public readonly array $problem,
        public readonly ?int $retry_after,
        public readonly bool $signed,
    ) {
        $this->problem_code = (string) $problem['code'];
        $this->title = (string) ($problem['title'] ?? '');
        $this->request_id = $problem['request_id'] ?? null;
        $this->field = $problem['field'] ?? null;
        $request = $this->request_id === null ? '' : " (request $this->request_id)";
        parent::__construct("$status $this->problem_code: $this->title$request", $status);
    }
}
