using System.Globalization;

namespace MLNet.PQCompression.Reporting.Html;

/// <summary>Sizes as people read them; KB and MB are 1024s.</summary>
internal static class Bytes
{
    /// <summary>"812 B", "94.5 KB", "1.03 MB".</summary>
    public static string Text(long bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.00} MB"),
    };
}
