<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A document of the API, by the names on the wire. `raw` has all of it, also members that this package does not know yet. */
abstract class Shape
{
    /** @param array<string, mixed> $raw */
    public function __construct(public readonly array $raw)
    {
    }

    /**
     * Reads a document. A member that is missing is null.
     *
     * @param array<string, mixed> $document
     */
    final public static function read(array $document): static
    {
        $nested = static::nested();
        $values = [];
        foreach (static::members() as $name) {
            $value = $document[$name] ?? null;
            $class = $nested[$name] ?? null;
            if ($class !== null && is_array($value)) {
                $value = array_is_list($value) ? array_map($class::read(...), $value) : $class::read($value);
            }
            $values[$name] = $value;
        }
        return new static(...$values, raw: $document);
    }

    /**
     * The names of the members.
     *
     * @return list<string>
     */
    final public static function members(): array
    {
        static $known = [];
        return $known[static::class] ??= array_values(array_filter(
            array_map(
                static fn (\ReflectionParameter $one) => $one->getName(),
                (new \ReflectionMethod(static::class, '__construct'))->getParameters(),
            ),
            static fn (string $name) => $name !== 'raw',
        ));
    }

    /**
     * Members that have a shape of their own, or are lists of such.
     *
     * @return array<string, class-string<Shape>>
     */
    protected static function nested(): array
    {
        return [];
    }
}
