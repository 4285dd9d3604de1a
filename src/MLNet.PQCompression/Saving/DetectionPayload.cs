using System.Text.Json;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Saving;

/// <summary>A detector with all that a loaded chain needs.</summary>
/// <param name="Model">The network and what its outputs mean.</param>
/// <param name="Input">How a column's value becomes its input.</param>
/// <param name="InputName">The image column.</param>
/// <param name="Kind">Its type.</param>
/// <param name="Columns">The columns that are made.</param>
internal sealed record DetectionPayload(DetectionModel Model, ImageInput Input, string InputName, ImageColumnKind Kind, DetectionColumns Columns)
{
    /// <summary>The form of the header. A reader refuses any later one.</summary>
    private const int Format = 1;

    /// <summary>Writes the text.</summary>
    public string ToText() => PayloadText.Write(
        JsonSerializer.Serialize(new Header(Format, PayloadText.PackageVersion, InputName, Kind, Columns, Model.Profile.Name, Model.Options, Input.Pixels, Input.ImageFolder, Input.Size)), Model.Graph);

    /// <summary>Reads the text.</summary>
    /// <exception cref="InvalidModelException">The text is broken, or of a later form.</exception>
    public static DetectionPayload Parse(ReadOnlyMemory<char> text)
    {
        try
        {
            (string json, ModelGraph graph) = PayloadText.Read(text, Format);
            Header header = JsonSerializer.Deserialize<Header>(json) is { Input: not null, Columns: { Boxes: not null, Labels: not null, Scores: not null }, Detections: not null, Profile: not null } read
                ? read : throw new FormatException("its header lacks entries");
            DetectionProfile profile = DetectionProfile.Named(header.Profile) ?? throw new FormatException($"its profile '{header.Profile}' is not known");
            DetectionModel model = DetectionModel.Restore(graph, profile, header.Detections);
            return new(model, new(model.Preprocessing, header.Pixels, header.ImageFolder, header.Size), header.Input, header.Kind, header.Columns);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw new InvalidModelException($"The detector in the model zip is broken: {e.Message}", e);
        }
    }

    private sealed record Header(
        int Format, string Package, string Input, ImageColumnKind Kind, DetectionColumns Columns, string Profile, DetectionOptions Detections, PixelVectorFormat Pixels, string? ImageFolder, ImageSize? Size);
}
