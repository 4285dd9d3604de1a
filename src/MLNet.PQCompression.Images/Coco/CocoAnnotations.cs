using System.Text.Json;
using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Images.Coco;

/// <summary>A picture of an annotation file.</summary>
/// <param name="Id">Its number.</param>
/// <param name="FileName">Its file, relative to the folder of the pictures.</param>
/// <param name="Width">Its width in pixels.</param>
/// <param name="Height">Its height in pixels.</param>
public sealed record CocoPicture(long Id, string FileName, int Width, int Height);

/// <summary>Objects in pictures, as COCO's instances files have them (JSON: images, categories, annotations).</summary>
public sealed class CocoAnnotations
{
    private const long MaxBytes = 1L << 30;
    private const int MaxSide = 1 << 16;

    private CocoAnnotations(string path, Dictionary<long, CocoPicture> pictures, SortedDictionary<long, string> categories, List<AnnotatedObject> objects) =>
        (Path, Pictures, Categories, Objects) = (path, pictures, categories, objects);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The pictures by number.</summary>
    public IReadOnlyDictionary<long, CocoPicture> Pictures { get; }

    /// <summary>The names of the categories by number, in ascending order.</summary>
    public IReadOnlyDictionary<long, string> Categories { get; }

    /// <summary>The objects.</summary>
    public IReadOnlyList<AnnotatedObject> Objects { get; }

    /// <summary>Whether every object that is no crowd has a mask, so that masks can be judged.</summary>
    public bool HasMasks => Objects.Count > 0 && Objects.All(o => o.Mask is not null);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is no such file; the message says where.</exception>
    public static CocoAnnotations Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (new FileInfo(path).Length > MaxBytes)
            throw new InvalidDataException($"'{path}' has more than {MaxBytes} bytes; annotations in JSON are expected.");
        try
        {
            using FileStream file = File.OpenRead(path);
            using JsonDocument document = JsonDocument.Parse(file);
            return Parse(path, document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"'{path}' is no annotation file as COCO has them: {e.Message}", e);
        }
    }

    private static CocoAnnotations Parse(string path, JsonElement root)
    {
        var pictures = new Dictionary<long, CocoPicture>();
        foreach (JsonElement image in root.GetProperty("images").EnumerateArray())
        {
            var picture = new CocoPicture(image.GetProperty("id").GetInt64(), image.GetProperty("file_name").GetString() ?? "", Side(image, "width"), Side(image, "height"));
            if (!pictures.TryAdd(picture.Id, picture))
                throw new FormatException($"the picture {picture.Id} comes twice");
        }
        var categories = new SortedDictionary<long, string>();
        foreach (JsonElement category in root.GetProperty("categories").EnumerateArray())
            if (!categories.TryAdd(category.GetProperty("id").GetInt64(), category.GetProperty("name").GetString() ?? ""))
                throw new FormatException($"the category {category.GetProperty("id").GetInt64()} comes twice");
        var objects = new List<AnnotatedObject>();
        foreach (JsonElement annotation in root.GetProperty("annotations").EnumerateArray())
            objects.Add(Object(annotation, pictures, categories));
        return new(path, pictures, categories, objects);
    }

    private static int Side(JsonElement image, string name) =>
        image.GetProperty(name).GetInt32() is > 0 and <= MaxSide and int side ? side : throw new FormatException($"a picture has a {name} of {image.GetProperty(name)}");

    private static AnnotatedObject Object(JsonElement annotation, Dictionary<long, CocoPicture> pictures, SortedDictionary<long, string> categories)
    {
        long image = annotation.GetProperty("image_id").GetInt64(), category = annotation.GetProperty("category_id").GetInt64();
        if (!pictures.TryGetValue(image, out CocoPicture? picture) || !categories.ContainsKey(category))
            throw new FormatException($"an annotation is of picture {image} and category {category}, which are not both listed");
        double[] box = [.. annotation.GetProperty("bbox").EnumerateArray().Select(v => v.GetDouble())];
        if (box.Length != 4 || box.Any(v => !double.IsFinite(v)) || box[2] < 0 || box[3] < 0)
            throw new FormatException($"an annotation of picture {image} has the box [{string.Join(", ", box)}]; x, y, width, height are expected");
        RunLengthMask? mask = annotation.TryGetProperty("segmentation", out JsonElement segmentation) ? Mask(segmentation, picture) : null;
        double area = annotation.TryGetProperty("area", out JsonElement given) ? given.GetDouble() : mask?.Area ?? box[2] * box[3];
        bool isCrowd = annotation.TryGetProperty("iscrowd", out JsonElement crowd) && crowd.GetInt32() != 0;
        return new(image, category, new(box[0], box[1], box[0] + box[2], box[1] + box[3]), area, mask, isCrowd);
    }

    /// <summary>Polygons, or runs as numbers or as text.</summary>
    private static RunLengthMask? Mask(JsonElement segmentation, CocoPicture picture)
    {
        if (segmentation.ValueKind == JsonValueKind.Array)
            return segmentation.GetArrayLength() == 0
                ? null
                : RunLengthMask.OfPolygons(segmentation.EnumerateArray().Select(p => (IReadOnlyList<double>)[.. p.EnumerateArray().Select(v => v.GetDouble())]), picture.Height, picture.Width);
        int[] size = [.. segmentation.GetProperty("size").EnumerateArray().Select(v => v.GetInt32())];
        if (size.Length != 2 || size[0] != picture.Height || size[1] != picture.Width)
            throw new FormatException($"a mask of picture {picture.Id} is [{string.Join(", ", size)}], the picture {picture.Height}×{picture.Width}");
        JsonElement counts = segmentation.GetProperty("counts");
        return counts.ValueKind == JsonValueKind.String
            ? RunLengthMask.FromCompressed(counts.GetString()!, picture.Height, picture.Width)
            : new(picture.Height, picture.Width, [.. counts.EnumerateArray().Select(v => v.GetInt32())]);
    }
}
