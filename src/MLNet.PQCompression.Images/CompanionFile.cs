using System.Collections.Immutable;
using System.Text.Json;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>Files beside a model that state its preprocessing: Hugging Face's preprocessor_config.json, timm's config.json, and a graph of the preprocessing alone, such as ResNetPreprocess.onnx.</summary>
internal static class CompanionFile
{
    private const long MostBytes = 64 << 20;

    /// <summary>What a file beside the model states; null where there is none that can be read.</summary>
    public static StatedPreprocessing? Find(string? modelFile, ImagePreprocessing standard)
    {
        if (modelFile is null || Path.GetDirectoryName(Path.GetFullPath(modelFile)) is not { } folder)
            return null;
        string? parent = Path.GetDirectoryName(folder);
        foreach (string place in new[] { folder, parent }.OfType<string>())
            foreach (string name in new[] { "preprocessor_config.json", "config.json" })
                if (FromJson(Path.Combine(place, name), standard) is { } stated)
                    return stated;
        return Graphs(folder, parent, Path.GetFileNameWithoutExtension(modelFile)).Select(f => FromGraph(f, standard)).FirstOrDefault(s => s is not null);
    }

    /// <summary>The preprocessing that a graph of nothing else does.</summary>
    public static StatedPreprocessing? FromGraph(string file, ImagePreprocessing standard)
    {
        try
        {
            if (GraphPreprocessing.Of(ModelFile.Load(file)) is not { Range: { } range } nodes || nodes.Channels != standard.Channels || nodes.Scale.Any(s => s <= 0))
                return null;
            bool image = nodes.Shift.Length > nodes.Channels;
            if (image && nodes.Shift.Length != standard.Length)
                return null;
            ImagePreprocessing turned = standard with { Order = nodes.IsReversed ? ChannelOrder.Bgr : standard.Order, Range = range };
            float[] bySource = new float[nodes.Channels], scaleBySource = new float[nodes.Channels];
            for (int c = 0; c < nodes.Channels; c++)
                (bySource[turned.SourceOf(c)], scaleBySource[turned.SourceOf(c)]) = (image ? 0 : (float)nodes.Means[c], (float)(1 / nodes.Scale[c]));
            MeanImage? mean = image ? new(nodes.Channels, standard.Height, standard.Width, [.. nodes.Shift.Select((s, i) => (float)(-s / nodes.Scale[i * nodes.Channels / nodes.Shift.Length]))], range) : null;
            return new(turned with { Mean = [.. bySource], Std = [.. scaleBySource], MeanImage = mean }, [$"'{Path.GetFileName(file)}' beside the model"], ["fit"]);
        }
        catch (Exception e) when (e is InvalidModelException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Graphs named after the model's family: ResNetPreprocess.onnx for ResNet18.onnx, in its folder or one beside it.</summary>
    private static IEnumerable<string> Graphs(string folder, string? parent, string model)
    {
        const string Ending = "Preprocess.onnx";
        IEnumerable<string> folders = parent is null ? [folder] : [folder, .. Directory.EnumerateDirectories(parent, "*", new EnumerationOptions { IgnoreInaccessible = true }).Take(100).Order(StringComparer.Ordinal)];
        return folders.SelectMany(f => Files(f, "*" + Ending))
            .Where(f => model.StartsWith(Path.GetFileName(f)[..^Ending.Length], StringComparison.OrdinalIgnoreCase) && new FileInfo(f) is { Exists: true, Length: < MostBytes });
    }

    /// <summary>The files of a folder; none where it has gone since it was listed, as temporary ones do.</summary>
    private static string[] Files(string folder, string pattern)
    {
        try
        {
            return Directory.GetFiles(folder, pattern, new EnumerationOptions { IgnoreInaccessible = true });
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static StatedPreprocessing? FromJson(string file, ImagePreprocessing standard)
    {
        if (!File.Exists(file) || new FileInfo(file).Length > MostBytes)
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return null;
            ImagePreprocessing? stated = root.TryGetProperty("image_mean", out _) || root.TryGetProperty("rescale_factor", out _) ? HuggingFace(root, standard)
                : root.TryGetProperty("pretrained_cfg", out JsonElement timm) && timm.ValueKind == JsonValueKind.Object ? Timm(timm, standard) : null;
            stated?.Check();
            return stated is null ? null : new(stated, [$"'{Path.GetFileName(file)}' beside the model"], []);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static ImagePreprocessing HuggingFace(JsonElement root, ImagePreprocessing standard)
    {
        // Pixels times rescale_factor; a factor other than 1/255 or 1 goes into the deviation, as do the mean's units.
        double factor = Is(root, "do_rescale", true) ? Number(root, "rescale_factor") ?? 1 / 255.0 : 1;
        bool normalize = Is(root, "do_normalize", true) && root.TryGetProperty("image_mean", out _);
        float[] mean = normalize ? Numbers(root.GetProperty("image_mean"), standard) : new float[standard.Channels], std = normalize ? Numbers(root.GetProperty("image_std"), standard) : [.. mean.Select(_ => 1f)];
        int range = factor > 0.5 ? 255 : 1;
        float unit = (float)(factor * 255 / range);
        ImagePreprocessing result = standard with { Range = range, Mean = [.. mean.Select(m => m / unit)], Std = [.. std.Select(s => s / unit)] };
        if (!Is(root, "do_resize", true) || !root.TryGetProperty("size", out JsonElement size))
            return result;
        int? shortest = size.ValueKind == JsonValueKind.Number ? size.GetInt32() : (int?)Number(size, "shortest_edge");
        return Is(root, "do_center_crop", false) && (shortest ?? (int?)Number(size, "height")) is { } side
            ? result with { Resize = ResizeMode.ShortSide, ShortSide = side }
            : shortest is { } only && size.ValueKind == JsonValueKind.Object ? result with { Resize = ResizeMode.ShortSide, ShortSide = only } : result with { Resize = ResizeMode.Exact, ShortSide = 0 };
    }

    private static ImagePreprocessing Timm(JsonElement root, ImagePreprocessing standard)
    {
        ImagePreprocessing result = standard with { Mean = [.. Numbers(root.GetProperty("mean"), standard)], Std = [.. Numbers(root.GetProperty("std"), standard)] };
        return Number(root, "crop_pct") is { } share and > 0
            ? result with { Resize = ResizeMode.ShortSide, ShortSide = (int)Math.Floor(Math.Min(standard.Height, standard.Width) / share) }
            : result;
    }

    private static bool Is(JsonElement root, string name, bool otherwise) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    private static double? Number(JsonElement root, string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static float[] Numbers(JsonElement array, ImagePreprocessing standard)
    {
        float[] values = [.. array.EnumerateArray().Select(v => v.GetSingle())];
        return values.Length == standard.Channels ? values : throw new FormatException("there is not a number for each channel");
    }
}
