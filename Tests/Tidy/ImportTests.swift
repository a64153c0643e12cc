import Testing

struct ImportTests {
    @Test func `a target imports only what lies below it`() {
        #expect(ImportRules.violations(SourceTree.sources) == [])
    }

    @Test(arguments: ImportRules.cModules)
    func `a C module is imported by exactly one target`(module: String) {
        #expect(ImportRules.owners(of: module, in: SourceTree.sources).count == 1)
    }

    @Test func `tests reach C modules only through the targets that own them`() {
        for file in SourceTree.tests where !file.path.hasPrefix("Tests/Fuzz") {
            #expect(Set(ImportRules.cModules).isDisjoint(with: ImportRules.imports(file)), "\(file.path)")
        }
    }
}
