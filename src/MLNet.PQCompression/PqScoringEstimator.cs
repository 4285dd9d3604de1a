using Microsoft.ML;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Fitting;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression;

/// <summary>Scores images with a ConvNet that is compressed already, by this package, the tool or elsewhere.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
///
/// ###  Estimator Characteristics
/// |  |  |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | No |
/// | Input column data type | Image, vector of <xref:System.Single> (pixels), vector of <xref:System.Byte> (an encoded image) or [Text](xref:Microsoft.ML.Data.TextDataViewType) (a path) |
/// | Output column data type | Scores, features or outputs: known-sized vector of <xref:System.Single>. Predicted label of a classifier: [key](xref:Microsoft.ML.Data.KeyDataViewType) |
/// | Required NuGet in addition to Microsoft.ML | MLNet.PQCompression; Microsoft.ML.ImageAnalytics for image columns |
/// | Exportable to ONNX | Yes, by PqCompressionTransformer.SaveAsOnnx |
///
/// The weights stay compressed in memory: they are decoded block by block as the matrix kernels need them.
/// ]]></format>
/// </remarks>
public sealed class PqScoringEstimator : IEstimator<PqCompressionTransformer>
{
    private readonly Options _options;
    private readonly CatalogEnvironment _environment;

    internal PqScoringEstimator(CatalogEnvironment environment, Options options)
    {
        _environment = environment;
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
    }

    /// <summary>Options for <see cref="PqCompressionCatalog.ScoreCompressedModel(TransformsCatalog, Options)"/>.</summary>
    public sealed class Options : ImageScoringOptions
    {
        /// <summary>The network, usually a compressed ONNX file.</summary>
        public string ModelFile = "";

        internal void Check()
        {
            CheckNames();
            ModelPath.Check(ModelFile);
        }
    }

    /// <summary>Reads the network and returns a transformer that scores with it. No row is read.</summary>
    /// <param name="input">Data with the image column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of a type that holds no image.</exception>
    /// <exception cref="Graph.InvalidModelException">The network cannot be read, or does not do what <see cref="ImageScoringOptions.Task"/> says.</exception>
    public PqCompressionTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        LabelColumn? label = LabelColumn.Find(input.Schema, _options.ClassLabels);
        ModelGraph network = ModelFile.Load(_options.ModelFile);
        using var log = new FitLog(_environment.Channels, next: null);
        log.WarnOfLabel(input.Schema, _options.ClassLabels);
        PreprocessingNotes.Tell(log, network, _options.ModelFile, _options.Preprocessing);
        ScoringModel model = ScoringModel.Create(network, _options, label?.Values, _options.ModelFile);
        ImageColumn column = ImageColumn.Bind(input.Schema, _options.ImageColumnName, new(model.Preprocessing, _options.Pixels, _options.ImageFolder));
        var scorer = new ModelScorer(model.With(model.Graph, _options.Scoring), _options.Scoring);
        log.Info($"Scored by {scorer.Engine}.");
        return new(scorer, column, _options.Columns, report: null, _options.ClassLabels);
    }

    /// <summary>The schema with the columns that the transformer will add.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of a type that holds no image.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        return _options.Columns.AddTo(inputSchema);
    }
}
