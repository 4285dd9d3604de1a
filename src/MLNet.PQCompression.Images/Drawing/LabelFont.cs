using SkiaSharp;

namespace MLNet.PQCompression.Images.Drawing;

/// <summary>A font of the system, found by its file: the native library used here has none and knows none.</summary>
internal static class LabelFont
{
    /// <summary>Plain fonts that systems have, the most common first.</summary>
    private static readonly string[] Names =
        ["DejaVuSans", "LiberationSans-Regular", "NotoSans-Regular", "OpenSans-Regular", "Roboto-Regular", "Ubuntu-R", "FreeSans", "segoeui", "arial", "Arial", "Helvetica", "SFNS"];

    private static readonly string[] Extensions = [".ttf", ".otf", ".ttc"];

    private static readonly Lazy<SKTypeface?> System = new(Find);

    /// <summary>The font, or null where the system has none of those known.</summary>
    public static SKTypeface? Typeface => System.Value;

    private static SKTypeface? Find()
    {
        var found = Folders().Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 5 }))
            .Where(f => Extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase))
            .ToLookup(f => Path.GetFileNameWithoutExtension(f), StringComparer.Ordinal);
        return Names.SelectMany(n => found[n]).Select(SKTypeface.FromFile).FirstOrDefault(t => t is not null);
    }

    private static IEnumerable<string> Folders() =>
    [
        Environment.GetFolderPath(Environment.SpecialFolder.Fonts),
        "/usr/share/fonts", "/usr/local/share/fonts", "/run/current-system/sw/share/X11/fonts",
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".fonts"),
        "/System/Library/Fonts", "/Library/Fonts",
    ];
}
