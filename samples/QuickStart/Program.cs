// Compresses the classifier that comes with the repository, from the unlabelled images beside it, and scores the test images before and after.
using MLNet.PQCompression;
using MLNet.PQCompression.Reporting;

string data = Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10");
string unlabelled = Path.Combine(data, "unlabelled.zip"), test = Path.Combine(data, "test.zip");
string studentFile = Path.Combine(Directory.CreateDirectory("output").FullName, "shapes10.pq.onnx");

// Compress and write. The file is plain ONNX: this library, ML.NET and ONNX Runtime all run it.
using PqModel teacher = PqModel.Load(Path.Combine(data, "teacher.onnx"));
using PqModel compressed = teacher.Compress(unlabelled, new() { Seed = 1 });
compressed.Save(studentFile);

// Score both on images that compression has not seen.
using PqModel student = PqModel.Load(studentFile);
EvaluationReport before = teacher.Evaluate(test), after = student.Evaluate(test, teacher);

Console.WriteLine(new TextTable("", ">bytes", ">correct", ">of", ">agree with the teacher")
    .Add("teacher", $"{compressed.Report!.DenseBytes:N0}", $"{before.Top1}", $"{before.Images}", "")
    .Add("student", $"{compressed.Report.PaperBytes:N0}", $"{after.Top1}", $"{after.Images}", $"{after.Agreement}"));
Console.WriteLine($"{compressed.Report.Ratio:0.0} times smaller, from {compressed.Report.Images} unlabelled images in {compressed.Report.Seconds:0.0} s.");
Console.WriteLine($"{studentFile}: {new FileInfo(studentFile).Length:N0} bytes (the table counts as the paper does: weights and codes alone).");
