using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;

namespace MLNet.PQCompression.Packages.Tests;

/// <summary>All packages of the repository in a folder that NuGet restores from, and a place outside the repository for projects that use them.</summary>
public sealed class PackageFeed : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("pq-packages-");

    public PackageFeed()
    {
        // Our packages go into a cache of their own; everything else comes from the machine's.
        Environment = new Dictionary<string, string>
        {
            ["NUGET_PACKAGES"] = Folder("cache"),
            ["NUGET_FALLBACK_PACKAGES"] = GlobalPackages(),
            ["DOTNET_CLI_UI_LANGUAGE"] = "en",
            ["DOTNET_NOLOGO"] = "1",
        };
        File.WriteAllText(Path.Combine(_root.FullName, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{Folder("feed")}" />
              </packageSources>
            </configuration>
            """);
        string configuration = typeof(PackageFeed).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Configuration").Value!;
        Dotnet.Run(Repository.File(""), new Dictionary<string, string>(), "pack", "--configuration", configuration, "--no-build", "--output", Folder("feed"));
        Packages = [.. Directory.GetFiles(Folder("feed"), "*.nupkg").Order(StringComparer.Ordinal).Select(f => new Package(f))];
    }

    /// <summary>What was packed, by name.</summary>
    public IReadOnlyList<Package> Packages { get; }

    /// <summary>The variables under which a project outside finds the packages.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>The version that all packages have.</summary>
    public string Version => Packages[0].Version;

    /// <summary>An empty folder outside the repository, below which the packages are found.</summary>
    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(_root.FullName, name)).FullName;

    public void Dispose() => _root.Delete(recursive: true);

    private static string GlobalPackages()
    {
        string line = Dotnet.Run(Repository.File(""), new Dictionary<string, string> { ["DOTNET_CLI_UI_LANGUAGE"] = "en" }, "nuget", "locals", "global-packages", "--list");
        return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    /// <summary>A package file.</summary>
    public sealed class Package
    {
        public Package(string path)
        {
            using ZipArchive archive = ZipFile.OpenRead(path);
            Entries = [.. archive.Entries.Select(e => e.FullName)];
            using (Stream nuspec = archive.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open())
                Metadata = XDocument.Load(nuspec).Root!.Elements().Single();
            using var readme = new StreamReader(archive.GetEntry("README.md")!.Open());
            Readme = readme.ReadToEnd();
            SymbolsExist = File.Exists(System.IO.Path.ChangeExtension(path, ".snupkg"));
        }

        public XElement Metadata { get; }

        public IReadOnlyList<string> Entries { get; }

        public string Readme { get; }

        public bool SymbolsExist { get; }

        public string Id => Value("id")!;

        public string Version => Value("version")!;

        public string? Value(string name) => Metadata.Elements().SingleOrDefault(e => e.Name.LocalName == name)?.Value;
    }
}
