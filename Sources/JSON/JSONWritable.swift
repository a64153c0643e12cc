/// A type that knows how to write itself as one JSON value.
package protocol JSONWritable {
    func write(to json: inout JSONWriter)
}

extension JSONWriter {
    package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }
    package mutating func value(_ value: (some JSONWritable)?) {
        if let value { value.write(to: &self) } else { null() }
    }

    package mutating func field(_ name: StaticString, _ value: String) {
        key(name)
        self.value(value)
    }
    package mutating func field(_ name: StaticString, _ value: Int) {
        key(name)
        self.value(value)
    }
    package mutating func field(_ name: StaticString, _ value: Double) {
        key(name)
        self.value(value)
    }
    package mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        self.value(value)
    }
    package mutating func field(_ name: StaticString, _ value: JSONValue) {
        key(name)
        self.value(value)
    }
    package mutating func field(_ name: StaticString, _ value: some JSONWritable) {
        key(name)
        self.value(value)
    }

    /// nil is written as `null`.
    package mutating func field(_ name: StaticString, _ value: (some JSONWritable)?) {
        key(name)
        self.value(value)
    }

    /// nil is left out.
    package mutating func field(_ name: StaticString, ifPresent value: (some JSONWritable)?) {
        if let value { field(name, value) }
    }

    package mutating func field(_ name: StaticString, raw json: some Collection<UInt8>) {
        key(name)
        raw(json)
    }

    package mutating func null(_ name: StaticString) {
        key(name)
        null()
    }

    package mutating func object(_ name: StaticString, _ body: (inout JSONWriter) throws -> Void) rethrows {
        key(name)
        try object(body)
    }

    package mutating func array(_ name: StaticString, _ body: (inout JSONWriter) throws -> Void) rethrows {
        key(name)
        try array(body)
    }

    /// An array of values.
    package mutating func array(_ name: StaticString, _ values: some Sequence<some JSONWritable>) {
        key(name)
        openArray()
        for value in values { value.write(to: &self) }
        closeArray()
    }
}

extension String: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(self) }
}

extension Int: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(self) }
}

extension UInt64: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(self) }
}

extension Double: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(self) }
}

extension Bool: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(self) }
}

extension JSONValue: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(self) }
}

extension JSONString: JSONWritable {
    package func write(to json: inout JSONWriter) { json.value(string) }
}
