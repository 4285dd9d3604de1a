using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Saving;
using MLNet.PQCompression.Scoring;
using MLNet.PQCompression.Views;

namespace MLNet.PQCompression;

/// <summary>Finds objects in images with a detector, straight from its codes where it is compressed.</summary>
/// <remarks>
/// Safe for use by several threads; all prediction engines made from it share one session. <see cref="Dispose"/> frees the session; detecting again opens another. Saved with
/// <c>mlContext.Model.Save</c> it becomes a chain of ML.NET's own transformers, which <c>mlContext.Model.Load</c> reads without any registration;
/// <see cref="PqCompressionCatalog.FindDetectors"/> gives this type back.
/// </remarks>
public sealed class PqDetectionTransformer : ITransformer, IDisposable
{
    private readonly DetectionScorer _scorer;
    private readonly string _inputName;
    private readonly ImageColumnKind _kind;
    private readonly ImageInput _input;
    private readonly DetectionColumns _columns;

    internal PqDetectionTransformer(DetectionScorer scorer, string inputName, ImageColumnKind kind, ImageInput input, DetectionColumns columns, CompressionReport? report)
    {
        (_scorer, _inputName, _kind, _input, _columns) = (scorer, inputName, kind, input, columns);
        Report = report;
    }

    /// <summary>What was done to each layer, its sizes and errors; null where nothing was compressed here, or the transformer was loaded.</summary>
    public CompressionReport? Report { get; }

    /// <summary>The network. Its metadata carries the preprocessing and the class names.</summary>
    public ModelGraph Model => _scorer.Model.Graph;

    /// <summary>What the network's outputs mean.</summary>
    public DetectionProfile Profile => _scorer.Model.Profile;

    /// <summary>How an image becomes the network's input.</summary>
    public ImagePreprocessing Preprocessing => _scorer.Model.Preprocessing;

    /// <summary>The classes, in the order of the keys of labels.</summary>
    public ImmutableArray<string> ClassNames => _scorer.Model.Names;

    /// <summary>What runs the network, and why it does.</summary>
    public string Engine => _scorer.Engine;

    /// <inheritdoc/>
    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>Writes the network as ONNX.</summary>
    /// <param name="path">The file to write; its metadata tells the preprocessing and the class names.</param>
    public void SaveAsOnnx(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        OnnxWriter.Write(Model, path);
    }

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => CreateMapper(inputSchema).OutputSchema;

    /// <inheritdoc/>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ScoredDataView(input, CreateMapper(input.Schema));
    }

    /// <inheritdoc/>
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => CreateMapper(inputSchema);

    /// <inheritdoc/>
    void ICanSaveModel.Save(ModelSaveContext ctx) => SavedDetectionChain.Create(new(_scorer.Model, _input, _inputName, _kind, _columns)).Save(ctx);

    /// <summary>Frees the session. Prediction engines do this to the transformer they were made from; others that share it go on.</summary>
    public void Dispose() => _scorer.Dispose();

    private DetectionMapper CreateMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new(inputSchema, _inputName, _input, _columns, _scorer);
    }
}
