using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Pictures for a report's page.</summary>
internal static class ReportPictures
{
    /// <summary>Pixels of the longer side: twice what the page shows, for dense screens.</summary>
    private const int LongSide = 168;

    /// <summary>Pictures of some images of a source by name, as data: URIs.</summary>
    public static IReadOnlyDictionary<string, string> Of(ImageSource source, IEnumerable<string> names)
    {
        var wanted = new HashSet<string>(names, StringComparer.Ordinal);
        var pictures = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < source.Count; i++)
            if (wanted.Remove(source.Images[i].Name))
                pictures[source.Images[i].Name] = $"data:image/jpeg;base64,{Convert.ToBase64String(ImageThumbnail.Jpeg(source.Decode(i), LongSide))}";
        return pictures;
    }
}
