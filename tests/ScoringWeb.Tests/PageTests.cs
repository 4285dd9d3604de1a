using Microsoft.Playwright;

namespace ScoringWeb.Tests;

/// <summary>The page in a real browser: Chromium of the system, where it is installed.</summary>
[Collection(ServiceFixture.Name)]
public sealed class PageTests(ServiceFixture service)
{
    private static readonly string[] Browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    [SkippableTheory]
    [InlineData("desktop", 1100, 800, ColorScheme.Light)]
    [InlineData("phone", 390, 844, ColorScheme.Light)]
    [InlineData("dark", 1100, 800, ColorScheme.Dark)]
    public async Task APictureIsScoredByBothNetworks(string name, int width, int height, ColorScheme scheme)
    {
        string? browserFile = Browsers.FirstOrDefault(File.Exists);
        Skip.If(browserFile is null, $"no browser: none of {string.Join(", ", Browsers)} is installed");
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = browserFile, Args = ["--no-sandbox"] });
        await using IBrowserContext context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
        IPage page = await context.NewPageAsync();
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        page.Console += (_, message) => { if (message.Type == "error") errors.Add(message.Text); };

        await page.GotoAsync(service.Address.ToString());
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Ready.");
        await page.GetByLabel("Choose a file").SetInputFilesAsync(new FilePayload { Name = "picture.jpg", MimeType = "image/jpeg", Buffer = service.Picture });
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^(Both say|The uncompressed network says) "));
        await Assertions.Expect(page.Locator("#teacher .classes li")).ToHaveCountAsync(3);
        await Assertions.Expect(page.Locator("#student .classes li")).ToHaveCountAsync(3);
        await Assertions.Expect(page.Locator("#student .size")).ToContainTextAsync("ms");
        Assert.False(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth"), "the page is wider than the screen");

        // An answer of the service is shown as it is, and the page goes on.
        Assert.Empty(errors);
        await page.GetByLabel("Choose a file").SetInputFilesAsync(new FilePayload { Name = "text.png", MimeType = "image/png", Buffer = "no picture"u8.ToArray() });
        await Assertions.Expect(page.Locator("#status.error")).ToBeVisibleAsync();

        if (Environment.GetEnvironmentVariable("PQ_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.GetByLabel("Choose a file").SetInputFilesAsync(new FilePayload { Name = "picture.jpg", MimeType = "image/jpeg", Buffer = service.Picture });
            await Assertions.Expect(page.Locator("#status.error")).Not.ToBeVisibleAsync();
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"scoring-web-{name}.png"), FullPage = true });
        }
    }
}
