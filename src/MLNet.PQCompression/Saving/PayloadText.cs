using System.Reflection;
using System.Text.Json;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Saving;

/// <summary>A network with what else a loaded chain needs, as text: a line of JSON, then the ONNX file in Base64.</summary>
internal static class PayloadText
{
    private const string FormatEntry = "Format", PackageEntry = "Package";

    /// <summary>The version of this package.</summary>
    public static string PackageVersion =>
        typeof(PayloadText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "?";

    /// <summary>Writes the text.</summary>
    public static string Write(string header, ModelGraph model)
    {
        using var onnx = new MemoryStream();
        OnnxWriter.Write(model, onnx);
        return string.Concat(header, "\n", Convert.ToBase64String(onnx.GetBuffer().AsSpan(0, (int)onnx.Length)));
    }

    /// <summary>Reads the text.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="format">The latest form of the header that is known.</param>
    /// <returns>The header and the network.</returns>
    /// <exception cref="FormatException">The text is broken.</exception>
    /// <exception cref="JsonException">The header is broken.</exception>
    /// <exception cref="InvalidModelException">It is of a later form, or the network is broken.</exception>
    public static (string Header, ModelGraph Model) Read(ReadOnlyMemory<char> text, int format)
    {
        int end = text.Span.IndexOf('\n');
        if (end < 0)
            throw new FormatException("it has no header");
        string header = text.Span[..end].ToString();
        CheckFormat(header, format);
        byte[] onnx = new byte[text.Length];
        if (!Convert.TryFromBase64Chars(text.Span[(end + 1)..], onnx, out int length))
            throw new FormatException("the network is no Base64");
        return (header, OnnxReader.Read(onnx.AsMemory(0, length), "the network in the model zip"));
    }

    private static void CheckFormat(string header, int known)
    {
        using JsonDocument document = JsonDocument.Parse(header);
        if (document.RootElement is not { ValueKind: JsonValueKind.Object } root || !root.TryGetProperty(FormatEntry, out JsonElement written)
            || written.ValueKind != JsonValueKind.Number || !written.TryGetInt32(out int format))
            throw new FormatException("its header tells no format");
        if (format > known)
            throw new InvalidModelException($"The model was saved by MLNet.PQCompression {(root.TryGetProperty(PackageEntry, out JsonElement package) ? package : "?")} in format {format}, "
                + $"but this is version {PackageVersion}, which reads up to format {known}. Update the package MLNet.PQCompression.");
    }
}
