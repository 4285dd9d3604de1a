using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace ScoringWeb.Tests;

/// <summary>The service on a free port of the loopback address, with a student from few images: what it says is tested elsewhere.</summary>
public sealed class ServiceFixture : WebApplicationFactory<Program>, IAsyncLifetime
{
    /// <summary>The tests that share the service.</summary>
    public const string Name = "service";

    private readonly string _folder = Directory.CreateTempSubdirectory("scoring-web-").FullName;

    public ServiceFixture() => UseKestrel(0);

    /// <summary>A client of the running service.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>The address of the page.</summary>
    public Uri Address => Client.BaseAddress!;

    /// <summary>An encoded picture of the repository's test set.</summary>
    public byte[] Picture { get; private set; } = [];

    public async Task InitializeAsync()
    {
        StartServer();
        Client = CreateClient();
        using (ZipArchive zip = ZipFile.OpenRead(Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10", "test.zip")))
        using (Stream entry = zip.Entries.First(e => e.Length > 0).Open())
        using (var copy = new MemoryStream())
        {
            entry.CopyTo(copy);
            Picture = copy.ToArray();
        }
        for (int i = 0; i < 600; i++)
        {
            using HttpResponseMessage health = await Client.GetAsync("health");
            if (health.StatusCode == HttpStatusCode.OK)
                return;
            string status = await health.Content.ReadAsStringAsync();
            if (status.Contains("failed", StringComparison.Ordinal))
                throw new InvalidOperationException(status);
            await Task.Delay(500);
        }
        throw new TimeoutException("The networks were not ready after five minutes.");
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder) => builder
        .UseSetting("Scoring:Student", Path.Combine(_folder, "student.onnx"))
        .UseSetting("Scoring:Images", "64")
        .UseSetting("Scoring:MaxUploadBytes", "100000")
        .UseSetting("Scoring:MaxPixels", "1000000");
}

[CollectionDefinition(ServiceFixture.Name)]
public sealed class ServiceTests : ICollectionFixture<ServiceFixture>;
