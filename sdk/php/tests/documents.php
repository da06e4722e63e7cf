<?php

declare(strict_types=1);

namespace Bitpro\Tests;

/**
 * A document that has every member of a shape, as the type of the property wants it.
 *
 * @return array<string, mixed>
 */
function document(string $name): array
{
    $class = 'Bitpro\\Types\\' . ($name === 'Delivery' ? 'PastDelivery' : $name);
    $document = [];
    foreach ((new \ReflectionMethod($class, '__construct'))->getParameters() as $parameter) {
        $type = $parameter->getType();
        $kind = $type->getName();
        $document[$parameter->getName()] = match (true) {
            $type->allowsNull() => null,
            str_starts_with($kind, 'Bitpro\\') => document(substr($kind, strlen('Bitpro\\Types\\'))),
            default => ['string' => '', 'int' => 0, 'float' => 0.5, 'bool' => false, 'array' => []][$kind],
        };
    }
    unset($document['raw']);
    return $document;
}
