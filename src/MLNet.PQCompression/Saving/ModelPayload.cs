using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.OnnxRuntime;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Saving;

/// <summary>A network with all that scoring needs, as text: a line of JSON, then the ONNX file in Base64.</summary>
/// <param name="Model">The network.</param>
/// <param name="Input">How a column's value becomes its input.</param>
/// <param name="InputName">The image column.</param>
/// <param name="Kind">Its type.</param>
/// <param name="Outputs">The columns that are made.</param>
internal sealed record ModelPayload(ScoringModel Model, ImageInput Input, string InputName, ImageColumnKind Kind, OutputColumns Outputs)
{
    /// <summary>The latest form of the text. A reader refuses any later one, so each text is written in the first form that holds it: 1 holds classifiers of one output, 2 any network.</summary>
    private const int Format = 2;

    /// <summary>How a loaded network scores.</summary>
    public static InferenceOptions Inference => new() { ForeignRuntime = new OnnxRuntimeEngine() };

    private static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>Writes the text.</summary>
    public string ToText()
    {
        bool isFirst = Model is { Task: ImageTask.Classifier, Outputs.Wanted: null };
        var header = new Header(
            isFirst ? 1 : Format, PayloadText.PackageVersion, InputName, Kind, Outputs.Vectors[0], Outputs.LabelName, Model.Order, Model.ApplySoftmax, Input.Pixels, Input.ImageFolder, Input.Size,
            Model.Task, Outputs.Vectors.Length > 1 ? Outputs.Vectors : null, Model.Outputs.Wanted);
        return PayloadText.Write(JsonSerializer.Serialize(header, Json), Model.Graph);
    }

    /// <summary>Reads the text.</summary>
    /// <exception cref="InvalidModelException">The text is broken, or of a later form.</exception>
    public static ModelPayload Parse(ReadOnlyMemory<char> text)
    {
        try
        {
            (string json, ModelGraph graph) = PayloadText.Read(text, Format);
            Header header = JsonSerializer.Deserialize<Header>(json, Json) is { Input: not null, Score: not null, Order.IsDefault: false } read ? read : throw new FormatException("its header lacks entries");
            ScoringModel model = ScoringModel.Restore(graph, header.Task, header.Outputs, header.Order, header.Softmax, Inference);
            var columns = new OutputColumns(header.Columns ?? [header.Score], header.Label);
            if (columns.Vectors.Length != model.Outputs.Names.Length || columns.LabelName is null != header.Task is not ImageTask.Classifier)
                throw new FormatException("its columns do not fit its task");
            return new(model, new(model.Preprocessing, header.Pixels, header.ImageFolder, header.Size), header.Input, header.Kind, columns);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw new InvalidModelException($"The network in the model zip is broken: {e.Message}", e);
        }
    }

    private sealed record Header(
        int Format, string Package, string Input, ImageColumnKind Kind, string Score, string? Label, ImmutableArray<int> Order, bool Softmax, PixelVectorFormat Pixels, string? ImageFolder, ImageSize? Size,
        ImageTask Task = ImageTask.Classifier, ImmutableArray<string>? Columns = null, IReadOnlyList<string>? Outputs = null);
}
