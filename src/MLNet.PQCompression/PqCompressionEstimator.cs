using Microsoft.ML;
using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Fitting;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression;

/// <summary>Compresses a trained ConvNet by product quantization while it sees the images of a pipeline, and scores with the compressed network.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
///
/// ###  Estimator Characteristics
/// |  |  |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | Yes, at images only; labels are not needed |
/// | Input column data type | Image, vector of <xref:System.Single> (pixels), vector of <xref:System.Byte> (an encoded image) or [Text](xref:Microsoft.ML.Data.TextDataViewType) (a path) |
/// | Output column data type | Scores, features or outputs: known-sized vector of <xref:System.Single>. Predicted label of a classifier: [key](xref:Microsoft.ML.Data.KeyDataViewType) |
/// | Required NuGet in addition to Microsoft.ML | MLNet.PQCompression; Microsoft.ML.ImageAnalytics for image columns |
/// | Exportable to ONNX | Yes, by PqCompressionTransformer.SaveAsOnnx |
///
/// The weights are cut in blocks, each replaced by the nearest of a few codewords, which are chosen so that the *outputs* of each layer stay close
/// (Stock et al., "And the Bit Goes Down: Revisiting the Quantization of Neural Networks", ICLR 2020). The data is streamed: one batch of decoded
/// images is in memory at a time.
/// ]]></format>
/// </remarks>
public sealed class PqCompressionEstimator : IEstimator<PqCompressionTransformer>
{
    private readonly Options _options;
    private readonly CatalogEnvironment _environment;

    internal PqCompressionEstimator(CatalogEnvironment environment, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _environment = environment;
        _options = options;
    }

    /// <summary>Options for <see cref="PqCompressionCatalog.CompressModel(TransformsCatalog, Options)"/>.</summary>
    public sealed class Options : ImageScoringOptions
    {
        /// <summary>The trained network: ONNX, safetensors or a PyTorch state dict.</summary>
        public string ModelFile = "";

        /// <summary>For a state dict, the network it belongs to ("resnet18", …); null finds out from names and shapes.</summary>
        public string? Architecture;

        /// <summary>How to compress: method, block sizes, codewords, number of images, fine-tuning, seed, exceptions for single layers.</summary>
        public CompressionOptions Compression = new();

        /// <summary>A size or a loss to keep to; block sizes and codewords are then chosen for it. Null takes those of <see cref="Compression"/>.</summary>
        public CompressionBudget? Budget;

        /// <summary>What happens when a row has no image that can be used.</summary>
        public OnBadImage OnBadImage = OnBadImage.Fail;

        /// <summary>The GPU to fit on, by the package MLNet.PQCompression.TorchSharp; null takes the one set on the MLContext, if any, else the CPU. Scoring is on the CPU in any case.</summary>
        public int? GpuDeviceId;

        /// <summary>Whether to fit on the CPU where the GPU cannot be used.</summary>
        public bool FallbackToCpu;

        /// <summary>Told of the stages and layers; they are also written to the log of the MLContext.</summary>
        public IProgress<CompressionProgress>? Progress;

        /// <summary>Ends Fit early with an <see cref="OperationCanceledException"/>.</summary>
        public CancellationToken CancellationToken;

        internal void Check()
        {
            CheckNames();
            ModelPath.Check(ModelFile);
            ArgumentNullException.ThrowIfNull(Compression);
        }
    }

    /// <summary>Reads the images, compresses the network and returns a transformer that scores with it.</summary>
    /// <param name="input">Data with the image column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of a type that holds no image.</exception>
    /// <exception cref="Graph.InvalidModelException">The network cannot be read, or does not do what <see cref="ImageScoringOptions.Task"/> says.</exception>
    /// <exception cref="ImageRowException">A row has no image that can be used.</exception>
    /// <exception cref="ArgumentException">The budget cannot be kept; the message names what can be reached.</exception>
    /// <exception cref="InvalidOperationException">The data has no rows, or a GPU is asked for that cannot be used, without FallbackToCpu.</exception>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    public PqCompressionTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        LabelColumn? label = LabelColumn.Find(input.Schema, _options.ClassLabels);
        ModelGraph network = ModelFile.Load(_options.ModelFile, _options.Architecture);
        ScoringModel teacher = ScoringModel.Create(network, _options, label?.Values, _options.ModelFile);
        ImageColumn column = ImageColumn.Bind(input.Schema, _options.ImageColumnName, new(teacher.Preprocessing, _options.Pixels, _options.ImageFolder));
        using var log = new FitLog(_environment.Channels, _options.Progress);
        log.WarnOfLabel(input.Schema, _options.ClassLabels);
        PreprocessingNotes.Tell(log, network, _options.ModelFile, _options.Preprocessing);
        if (ImagePreprocessing.FromMetadata(network.Metadata) is null)
            PreprocessingNotes.Check(log, teacher, input, column, _options.Compression.Threads, _options.CancellationToken);
        CompressionOptions compression = _options.Compression with
        {
            Backend = _options.Compression.Backend ?? Gpu(log),
            ForeignRuntime = _options.Compression.ForeignRuntime ?? _options.Scoring.ForeignRuntime,
        };
        Action<ImageRowException>? skip = _options.OnBadImage == OnBadImage.Skip ? e => log.Warn($"Left out: {e.Message}") : null;
        var images = new DataViewSampleSource(input, column, label?.For(teacher.Order), _options.Compression.MaxImages, _options.Compression.Distillation?.MaxImages ?? 0, skip);
        CompressionResult result = _options.Budget is { } budget
            ? BudgetCompressor.Compress(teacher.Graph, images, budget, compression, analysis: null, log, _options.CancellationToken).Compression
            : ModelCompressor.Compress(teacher.Graph, images, compression, log, _options.CancellationToken);
        log.Info($"Compressed on {result.Report.Backend}.");
        var scorer = new ModelScorer(teacher.With(result.Student, _options.Scoring), _options.Scoring);
        log.Info($"Scored by {scorer.Engine}.");
        return new(scorer, column, _options.Columns, result.Report, _options.ClassLabels);
    }

    /// <summary>The backend on the GPU that is asked for, or null for the CPU.</summary>
    private Func<int, IBackend>? Gpu(FitLog log)
    {
        if ((_options.GpuDeviceId ?? _environment.GpuDeviceId) is not { } device)
            return null;
        if (GpuBackend.Find(device, log.Warn, out string reason) is { } gpu)
            return gpu;
        if (!_options.FallbackToCpu && !_environment.FallbackToCpu)
            throw new InvalidOperationException($"GPU {device} is asked for and cannot be used: {reason}. Or set FallbackToCpu, or leave GpuDeviceId null.");
        log.Warn($"GPU {device} cannot be used, so the CPU is: {reason}.");
        return null;
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
