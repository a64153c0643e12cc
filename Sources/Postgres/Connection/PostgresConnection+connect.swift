import Base
import CPostgres
import Glibc
package import Loop

extension PostgresConnection {
    /// Opens a session. Nothing of it blocks the loop. Call it on the loop.
    package static func connect(
        _ configuration: PostgresConfiguration, on loop: EventLoop
    ) async throws(PostgresError) -> PostgresConnection {
        let deadline = Instant.now() + configuration.connectTimeout
        let addresses =
            configuration.isUnixSocket
            ? [] : try await HostResolver.addresses(of: configuration.host, until: deadline, on: loop)
        let handle = try start(configuration.parameters(addresses: addresses))
        do throws(PostgresError) {
            try await establish(handle, until: deadline, on: loop)
        } catch {
            PQfinish(handle)
            throw error
        }
        return try PostgresConnection(handle, configuration, on: loop)
    }

    private static func start(_ parameters: [(name: String, value: String)]) throws(PostgresError)
        -> OpaquePointer
    {
        var names: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.name)) }
        var values: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.value)) }
        names.append(nil)
        values.append(nil)
        defer { for pointer in names + values { free(UnsafeMutablePointer(mutating: pointer)) } }
        guard let handle = PQconnectStartParams(names, values, 0) else {
            throw PostgresError(.unavailable, "libpq has no memory for a connection")
        }
        // Until the connection takes its notices, libpq would print them. What matters of them is in the error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        // Only in this form does the text of a failed login hold its code.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        guard PQstatus(handle) != CONNECTION_BAD else {
            let error = failure(of: handle)
            PQfinish(handle)
            throw error
        }
        return handle
    }

    private static func establish(
        _ handle: OpaquePointer, until deadline: Instant, on loop: EventLoop
    ) async throws(PostgresError) {
        var interest = Interest.write
        while true {
            try await ready(PQsocket(handle), interest, until: deadline, on: loop)
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_READING: interest = .read
            case PGRES_POLLING_WRITING: interest = .write
            case PGRES_POLLING_OK:
                PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
                return
            default: throw failure(of: handle)
            }
        }
    }

    /// Waits for the socket. It is registered anew each time: libpq may have closed it and opened another.
    private static func ready(
        _ descriptor: Int32, _ interest: Interest, until deadline: Instant, on loop: EventLoop
    ) async throws(PostgresError) {
        let waiter = Waiter(loop)
        let registration: Registration
        do throws(SystemError) {
            registration = try loop.register(descriptor, interest) { _ in waiter.wake() }
        } catch {
            throw PostgresError(.unavailable, "\(error)")
        }
        defer { loop.deregister(registration) }
        do throws(WaitFailure) {
            try await waiter.wait(until: deadline)
        } catch {
            throw error == .cancelled
                ? PostgresError(.cancelled, "cancelled while connecting")
                : PostgresError(.unavailable, "connecting took too long")
        }
    }

    private static func failure(of handle: OpaquePointer) -> PostgresError {
        let message = PostgresError.trimmed(PQerrorMessage(handle))
        guard let sqlState = sqlState(in: message) else {
            let kind: PostgresError.Kind =
                PQconnectionNeedsPassword(handle) == 1 ? .authenticationFailed : .unavailable
            return PostgresError(kind, message)
        }
        var details = PostgresError.Details()
        details.message = message
        var kind = PostgresError.Kind(sqlState: sqlState, details: details, raisedIn: nil)
        // At this point the only values are those of our own settings.
        if kind == .dataException || kind == .invalidStatement || kind == .insufficientPrivilege {
            kind = .invalidConfiguration
        }
        if kind == .adminShutdown || kind == .connectionLost { kind = .unavailable }
        return PostgresError(kind: kind, sqlState: sqlState, details: details)
    }

    /// The code in `failed: FATAL:  57P03: the database system is starting up`. Two spaces come before it,
    /// and a colon after it.
    private static func sqlState(in message: String) -> String? {
        let bytes = Array(message.utf8)
        for start in bytes.indices where bytes[start...].starts(with: [0x3A, 0x20, 0x20]) {
            let code = bytes[(start + 3)...].prefix(6)
            guard code.count == 6, code.last == 0x3A else { continue }
            let isCode = code.dropLast().allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
            }
            if isCode { return String(decoding: code.dropLast(), as: UTF8.self) }
        }
        return nil
    }
}
