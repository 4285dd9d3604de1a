using Microsoft.ML;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Fitting;

/// <summary>Writes to the log what is assumed about the preprocessing, and warns where the network plainly does not know such pictures.</summary>
internal static class PreprocessingNotes
{
    /// <summary>Says what is assumed; nothing where the caller or the model states it.</summary>
    public static void Tell(FitLog log, ModelGraph model, string file, ImagePreprocessing? given)
    {
        if (given is null && StatedPreprocessing.For(model, file) is { Assumed.IsEmpty: false } stated)
            log.Info($"Images: {stated}. Options.Preprocessing sets it.");
    }

    /// <summary>Asks the network itself, with rows at equal distances.</summary>
    public static void Check(FitLog log, ScoringModel model, IDataView data, ImageColumn column, int threads, CancellationToken cancellationToken)
    {
        if (model.Preprocessing is not { Channels: 3, MeanImage: null })
            return;
        var source = new DataViewSampleSource(data, column, null, PreprocessingCheck.MostImages, PreprocessingCheck.MostImages, static _ => { });
        var pictures = new List<RgbImage>();
        try
        {
            foreach (SampleBatch batch in source.Read(PreprocessingCheck.MostImages, cancellationToken))
                for (int i = 0; i < batch.Count; i++)
                    pictures.Add(PreprocessingCheck.Recover(batch.Data.Span.Slice(i * model.Preprocessing.Length, model.Preprocessing.Length), model.Preprocessing));
        }
        catch (InvalidOperationException)
        {
            return; // none of these rows has an image; told where the rows are read to learn from
        }
        // The rows were framed when they were read.
        if (PreprocessingCheck.Run(model.Graph, model.Preprocessing with { Resize = ResizeMode.None, ShortSide = 0 }, pictures, threads, cancellationToken) is { } warning)
            log.Warn($"Options.Preprocessing: {warning}");
    }
}
