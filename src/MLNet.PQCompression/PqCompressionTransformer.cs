using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Fitting;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Saving;
using MLNet.PQCompression.Scoring;
using MLNet.PQCompression.Views;

namespace MLNet.PQCompression;

/// <summary>Scores images with a compressed ConvNet, straight from its codes.</summary>
/// <remarks>
/// Safe for use by several threads; all prediction engines made from it share one session and its weights. <see cref="Dispose"/> frees the session; scoring
/// again opens another. Saved with <c>mlContext.Model.Save</c> it becomes a chain of ML.NET's own transformers, which <c>mlContext.Model.Load</c> reads
/// without any registration; <see cref="PqCompressionCatalog.FindCompressedModels"/> gives this type back.
/// </remarks>
public sealed class PqCompressionTransformer : ITransformer, IDisposable
{
    private readonly ModelScorer _scorer;
    private readonly string _inputName;
    private readonly ImageColumnKind _kind;
    private readonly ImageInput _input;
    private readonly OutputColumns _outputs;
    private readonly string? _labelColumnName;

    internal PqCompressionTransformer(ModelScorer scorer, ImageColumn column, OutputColumns outputs, CompressionReport? report, string? labelColumnName)
        : this(scorer, column.Column.Name, column.Kind, column.Input, outputs)
    {
        Report = report;
        _labelColumnName = labelColumnName;
    }

    internal PqCompressionTransformer(ModelScorer scorer, string inputName, ImageColumnKind kind, ImageInput input, OutputColumns outputs)
    {
        _scorer = scorer;
        _inputName = inputName;
        _kind = kind;
        _input = input;
        _outputs = outputs;
    }

    /// <summary>What was done to each layer, its sizes and errors; null where the network was compressed before or the transformer was loaded.</summary>
    public CompressionReport? Report { get; }

    /// <summary>The compressed network. Its metadata carries the preprocessing and the class names.</summary>
    public ModelGraph Model => _scorer.Model.Graph;

    /// <summary>How an image becomes the network's input.</summary>
    public ImagePreprocessing Preprocessing => _scorer.Model.Preprocessing;

    /// <summary>What scores, and why: kernels here, straight from the codes, or ONNX Runtime where the network has operators without a kernel.</summary>
    public string Engine => _scorer.Engine;

    /// <summary>What the network does, and so which columns it makes.</summary>
    public ImageTask Task => _scorer.Model.Task;

    /// <summary>The classes, in the order of the scores; empty where the network names none.</summary>
    public ImmutableArray<string> ClassNames => _scorer.Model.ClassNames;

    /// <inheritdoc/>
    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>Writes the compressed network as ONNX, which any ONNX runtime and ApplyOnnxModel score without this package.</summary>
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
    void ICanSaveModel.Save(ModelSaveContext ctx) => SavedChain.Create(_scorer.Model, _inputName, _kind, _input, _outputs).Save(ctx);

    /// <summary>Frees the session. Prediction engines do this to the transformer they were made from; others that share it go on.</summary>
    public void Dispose() => _scorer.Dispose();

    private ScoringMapper CreateMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        LabelColumn.CheckOrder(inputSchema, _labelColumnName, ClassNames);
        return new(inputSchema, _inputName, _input, _outputs, _scorer);
    }
}
